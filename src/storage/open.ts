/** Opening a registry by its address. */
import { fileURLToPath } from 'node:url';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { makeFolder } from '../store/atomic-file.ts';
import { DirectoryStorage } from './directory.ts';
import type { Storage } from './storage.ts';

/** How S3 is reached, as flags and environment say. */
export interface S3Access {
  readonly endpoint: string | undefined;
  readonly region: string;
}

/** Whether a registry is only read, or made where it is absent. */
export type Purpose = 'read' | 'write';

/**
 * Opens `s3://bucket`, a path or a `file:` URL.
 * @throws PkgError `usage` for other addresses, and for a prefix inside a bucket, which Quilt3 refuses.
 */
export async function openStorage(
  runtime: Runtime,
  address: string,
  access: S3Access,
  purpose: Purpose,
): Promise<Storage> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'file') {
    const root = scheme === 'file' ? folderOf(address) : address;
    if (purpose === 'write') await makeFolder(root);
    return new DirectoryStorage(runtime, root);
  }
  const bucket = /^s3:\/\/([^/?#]+)\/?$/.exec(address)?.[1];
  if (scheme !== 's3' || bucket === undefined) {
    throw new PkgError('usage', `"${address}" is not the address of a registry`, {
      hint: 'Registries are s3://bucket, without a path behind it, or a folder.',
    });
  }
  const { openS3Storage } = await import('./s3.ts');
  return await openS3Storage(runtime, { bucket, ...access });
}

function folderOf(address: string): string {
  if (URL.canParse(address) && ['', 'localhost'].includes(new URL(address).host)) {
    return fileURLToPath(address);
  }
  throw new PkgError('usage', `"${address}" names a folder of another machine`, {
    hint: 'Write file:///path, or the path itself.',
  });
}
