/** Physical keys: where an entry's bytes are, as `s3:` and `file:` URLs spelt the way quilt3 does. */
import { PkgError } from '../runtime/errors.ts';

export type PhysicalKey =
  | {
      readonly scheme: 's3';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string | undefined;
    }
  | { readonly scheme: 'file'; readonly path: string };

/** Percent-encodes all bytes but `A-Z a-z 0-9 _ . - ~ /`. */
function encodePath(path: string): string {
  return path.split('/').map(encodeStrict).join('/');
}

function encodeStrict(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function formatPhysicalKey(physicalKey: PhysicalKey): string {
  if (physicalKey.scheme === 'file') return `file://${encodePath(physicalKey.path)}`;
  const { bucket, key, versionId } = physicalKey;
  const version =
    versionId === undefined ? '' : `?versionId=${encodeStrict(versionId).replaceAll('%20', '+')}`;
  return `s3://${bucket}/${encodePath(key)}${version}`;
}

/**
 * Reads a physical key. A fragment is cut off, an empty versionId counts as none.
 * @throws PkgError `integrity` for other schemes, a missing bucket or unknown query parameters.
 */
export function parsePhysicalKey(url: string): PhysicalKey {
  const fail = (why: string) =>
    new PkgError('integrity', `physical key ${JSON.stringify(url)} is refused: ${why}`);
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/.exec(url);
  const [, scheme = '', host = '', path = '', query] = match ?? [];
  if (scheme === 'file') {
    if (host !== '' && host !== 'localhost') throw fail('it names another machine');
    return { scheme: 'file', path: decode(path, fail) };
  }
  if (scheme !== 's3') throw fail('its scheme is neither s3 nor file');
  if (host === '') throw fail('it has no bucket');
  return {
    scheme: 's3',
    bucket: host,
    key: decode(path.slice(1), fail),
    versionId: query === undefined ? undefined : parseVersion(query, fail),
  };
}

function parseVersion(query: string, fail: (why: string) => PkgError): string | undefined {
  const version = /^versionId=([^&]*)$/.exec(query)?.[1];
  if (version === undefined) throw fail(`unknown query "${query}"`);
  return decode(version.replaceAll('+', '%20'), fail) || undefined;
}

function decode(text: string, fail: (why: string) => PkgError): string {
  if (text.includes('%00') || text.includes('\0')) throw fail('it holds a NUL character');
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw fail('its percent-encoding is broken');
    throw error;
  }
}
