/** An opened package: one that is installed in a folder or lies in a registry, with its bytes at hand. */
import { join } from 'node:path';
import { EntryReader, type Take } from '../objects/objects.ts';
import type { Entry } from '../package/entry.ts';
import type { Package, TopHash } from '../package/package.ts';
import { matchesHash } from '../package/verify.ts';
import { readPackage } from '../registry/lists.ts';
import type { Reference } from '../registry/reference.ts';
import { resolveReference } from '../registry/revisions.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { readIfPresent } from '../store/atomic-file.ts';
import { streamOf } from '../store/digest.ts';
import { findInstallation, type Installation, readInstallation } from './installation.ts';
import { selectionTest } from './selection.ts';

export interface OpenedPackage {
  readonly name: string;
  readonly topHash: TopHash;
  readonly pkg: Package;
  /** The folder or registry, for messages. */
  readonly where: string;
  /**
   * An entry's bytes, checked.
   * @throws PkgError `integrity` where they are missing or others, `not-found` where only a part was
   * installed and they are not of it.
   */
  read(entry: Entry): Promise<Buffer>;
  /**
   * The bytes of several entries, each checked, in any order; several `take` run at once.
   * @throws PkgError as `read` does.
   */
  readMany(entries: Iterable<Entry>, take: Take): Promise<void>;
}

/** Files of a folder that are read at once. */
const FILES_AT_ONCE = 8;

/**
 * Opens the package that is installed in a folder.
 * @throws PkgError `not-found` where nothing was installed into it.
 */
export async function openInstalled(folder: string): Promise<OpenedPackage> {
  return opened(folder, await readInstallation(folder));
}

/** Opens the package that is installed in a folder; undefined where nothing is. */
export async function findInstalled(folder: string): Promise<OpenedPackage | undefined> {
  const installation = await findInstallation(folder);
  return installation === undefined ? undefined : opened(folder, installation);
}

function opened(folder: string, installation: Installation): OpenedPackage {
  const { name, topHash, pkg } = installation;
  const read = (entry: Entry) => readInstalled(folder, installation, entry);
  const readMany = async (entries: Iterable<Entry>, take: Take) => {
    await eachLimit(entries, FILES_AT_ONCE, async (entry) => await take(entry, await read(entry)));
  };
  return { name, topHash, pkg, where: folder, read, readMany };
}

async function readInstalled(
  folder: string,
  installation: Installation,
  entry: Entry,
): Promise<Buffer> {
  const { name } = installation;
  const path = join(folder, entry.logicalKey);
  const bytes = await readIfPresent(path).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EISDIR') throw error;
    throw new PkgError('not-found', `${path} is not a file`, { cause: error });
  });
  const top = entry.logicalKey.split('/')[0] ?? '';
  if (bytes === undefined && !(await selectionTest(installation))(entry.logicalKey)) {
    throw new PkgError('not-found', `${path} was not installed`, {
      hint: `Install it too, with: pkg install ${name} ${top} --dest ${folder}`,
    });
  }
  if (bytes !== undefined && (await matchesHash(streamOf(bytes), entry))) return bytes;
  const what = bytes === undefined ? 'is missing' : 'has other bytes than its package says';
  throw new PkgError('integrity', `${path} ${what}`, {
    hint: `Restore it with: pkg install ${name} ${top} --dest ${folder} --force`,
  });
}

/**
 * Opens a revision in a registry; nothing is written to disk.
 * @throws PkgError `not-found` where there is no such revision.
 */
export async function openRevision(
  runtime: Runtime,
  registry: Storage,
  { name, revision }: Reference,
): Promise<OpenedPackage> {
  const topHash = await resolveReference(registry, { name, revision });
  const pkg = await readPackage(registry, topHash);
  const reader = new EntryReader(runtime, registry, undefined);
  return {
    ...{ name, topHash, pkg, where: registry.url },
    async read(entry) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of reader.read(entry)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    readMany: (entries, take) => reader.readMany(entries, take),
  };
}

/** The entry under a logical key, or undefined. */
export function entryUnder({ entries }: Package, logicalKey: string): Entry | undefined {
  for (const entry of entries) if (entry.logicalKey === logicalKey) return entry;
  return undefined;
}
