/** An opened package: one that is installed in a folder or lies in a registry, with its bytes at hand. */
import { join } from 'node:path';
import type { Entry, Package, TopHash } from '../package/package.ts';
import { matchesHash } from '../package/verify.ts';
import { readEntry } from '../registry/objects.ts';
import type { Reference } from '../registry/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { readPackage, resolveReference } from '../registry/revisions.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readIfPresent } from '../store/atomic-file.ts';
import { streamOf } from '../store/digest.ts';
import { readInstallation } from './installation.ts';

export interface OpenedPackage {
  readonly name: string;
  readonly topHash: TopHash;
  readonly pkg: Package;
  /** The folder or registry, for messages. */
  readonly where: string;
  /**
   * An entry's bytes, checked.
   * @throws PkgError `integrity` where they are missing or others.
   */
  read(entry: Entry): Promise<Buffer>;
}

/**
 * Opens the package that is installed in a folder.
 * @throws PkgError `not-found` where nothing was installed into it.
 */
export async function openInstalled(folder: string): Promise<OpenedPackage> {
  const { name, topHash, pkg } = await readInstallation(folder);
  return {
    ...{ name, topHash, pkg, where: folder },
    async read(entry) {
      const path = join(folder, entry.logicalKey);
      const bytes = await readIfPresent(path);
      const isWhole = bytes !== undefined && (await matchesHash(streamOf(bytes), entry));
      if (isWhole) return bytes;
      const what = bytes === undefined ? 'is missing' : 'was changed';
      throw new PkgError('integrity', `${path} ${what}`, {
        hint: 'Install the package again, whole.',
      });
    },
  };
}

/**
 * Opens a revision in a registry; nothing is written to disk.
 * @throws PkgError `not-found` where there is no such revision.
 */
export async function openRevision(
  runtime: Runtime,
  registry: Registry,
  { name, revision }: Reference,
): Promise<OpenedPackage> {
  const topHash = await resolveReference(registry, { name, revision });
  const pkg = await readPackage(registry, topHash);
  return {
    ...{ name, topHash, pkg, where: registry.url },
    async read(entry) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readEntry(runtime, registry, entry)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}

/** The entry under a logical key, or undefined. */
export function entryUnder({ pkg }: OpenedPackage, logicalKey: string): Entry | undefined {
  return pkg.entries.find((entry) => entry.logicalKey === logicalKey);
}
