/** Physical keys: where an entry's bytes are, as `s3:` and `file:` URLs spelt the way quilt3 does. */
import { PkgError } from '../runtime/errors.ts';
import { type Digest, isDigest } from '../store/digest.ts';

export type PhysicalKey =
  | {
      readonly scheme: 's3';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string | undefined;
    }
  | { readonly scheme: 'file'; readonly path: string };

/** Where inside a pack an object also lies; physical keys say it in a fragment, which quilt3 ignores. */
export interface PackFragment {
  /** `whole`: the object's bytes are in one piece; `chunked`: the place is that of a list of pieces. */
  readonly kind: 'whole' | 'chunked';
  readonly pack: Digest;
  /** In bytes from the start of the pack. */
  readonly offset: number;
  readonly sizeBytes: number;
}

const PACK_FRAGMENT =
  /^[^#]*#(chunked:)?([0-9a-f]{64}):(0|[1-9][0-9]{0,15})\+(0|[1-9][0-9]{0,15})$/;

/** Percent-encodes all bytes but `A-Z a-z 0-9 _ . - ~ /`. */
function encodePath(path: string): string {
  if (/^[A-Za-z0-9_.~/-]*$/.test(path)) return path;
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

/**
 * The place in a pack that a physical key's fragment states; undefined where it has no such fragment,
 * or one that is spelt in any other way or reaches beyond 2^53 - 1.
 */
export function parsePackFragment(physicalKey: string): PackFragment | undefined {
  const [, chunked, pack = '', ...numbers] = PACK_FRAGMENT.exec(physicalKey) ?? [];
  const [offset = Number.NaN, sizeBytes = Number.NaN] = numbers.map(Number);
  if (!isDigest(pack) || !Number.isSafeInteger(offset + sizeBytes)) return undefined;
  return { kind: chunked === undefined ? 'whole' : 'chunked', pack, offset, sizeBytes };
}

/** The fragment, `#` included, to be put behind a physical key that has none. */
export function formatPackFragment({ kind, pack, offset, sizeBytes }: PackFragment): string {
  const prefix = kind === 'chunked' ? 'chunked:' : '';
  return `#${prefix}${pack}:${String(offset)}+${String(sizeBytes)}`;
}
