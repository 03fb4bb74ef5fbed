/** Files of the user's own: their digests, remembered while the file has not been touched. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Descriptor, describeFile, digestOf, isDigest } from './digest.ts';
import type { Store } from './store.ts';

/** A file changed this shortly ago may change again within one tick of the disk's clock. */
const SETTLED_AFTER_MS = 2000;

/**
 * Digest and size of a local file. The digest is remembered under the file's path, inode, size and
 * change times, so a second call reads nothing.
 * @throws PkgError `unreachable` where there is no such regular file.
 */
export async function describeLocalFile(
  runtime: Runtime,
  store: Store,
  path: string,
): Promise<Descriptor> {
  const before = await fingerprint(path);
  const key = digestOf(resolve(path));
  const known = await store.findRecord('files', key);
  if (isKnownFile(known) && known.fingerprint === before.text && isDigest(known.digest)) {
    return { digest: known.digest, sizeBytes: known.sizeBytes };
  }
  const descriptor = await describeFile(path, runtime.signal);
  const after = await fingerprint(path);
  if (after.text !== before.text) {
    throw new PkgError('unreachable', `${path} changed while it was read`, {
      hint: 'Let whatever writes it finish, then run the command again.',
    });
  }
  if (runtime.clock.now() - after.changedMs > SETTLED_AFTER_MS) {
    await store.writeRecord('files', key, { fingerprint: after.text, ...descriptor });
  }
  return descriptor;
}

async function fingerprint(path: string): Promise<{ text: string; changedMs: number }> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) throw new PkgError('unreachable', `${path} is not a regular file`);
    const parts = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs];
    return { text: parts.join(' '), changedMs: Number(found.ctimeMs) };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      throw new PkgError('unreachable', `there is no file ${path}`, { cause: error });
    }
    throw storageError(error, `cannot read ${path}`);
  }
}

function isKnownFile(
  value: unknown,
): value is { fingerprint: string; digest: string; sizeBytes: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'fingerprint' in value &&
    'digest' in value &&
    'sizeBytes' in value &&
    typeof value.digest === 'string' &&
    typeof value.sizeBytes === 'number'
  );
}
