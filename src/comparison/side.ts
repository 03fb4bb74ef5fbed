/** One side of a comparison: a revision, an installed package or any folder, with its bytes at hand. */
import { findInstallation, type Installation } from '../installation/installation.ts';
import type { OpenedPackage } from '../installation/opened-package.ts';
import { type KeyTest, type Selection, selectionTest } from '../installation/selection.ts';
import type { Entry, EntryList } from '../package/entry.ts';
import { readFolder } from '../package/folder.ts';
import type { JsonObject } from '../package/lossless-json.ts';
import { statedDigest, type TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes, isDigest } from '../store/digest.ts';

export interface Side {
  /** The folder or the registry. */
  readonly where: string;
  readonly name?: string;
  /** Absent for a folder, whose files are taken as they are now. */
  readonly topHash?: TopHash;
  /** Absent for a folder that nothing was installed into. */
  readonly header?: JsonObject;
  readonly entries: EntryList;
  /** Whether entries carry the metadata of their package; those of a folder do not. */
  readonly meta: 'packaged' | 'unknown';
  /** Where this side is about a part of its package alone. */
  readonly part?: SidePart;
  /** An entry's bytes; the stream fails where they are not what the entry says. */
  open(entry: Entry): AsyncIterable<Uint8Array>;
}

export interface SidePart {
  /** For sentences: the paths and patterns that were asked for. */
  readonly words: string;
  readonly covers: KeyTest;
}

/** Bytes handed on at once; a reader of rows holds those of one piece. */
const PIECE_BYTES = 1 << 16;

/** A revision as one side. */
export function revisionSide(opened: OpenedPackage): Side {
  const { name, topHash, where, pkg } = opened;
  const { header, entries } = pkg;
  return {
    ...{ where, name, topHash, header, entries, meta: 'packaged' },
    async *open(entry) {
      const bytes = await opened.read(entry);
      for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
        yield bytes.subarray(start, start + PIECE_BYTES);
      }
    },
  };
}

/**
 * A folder as one side: its files as they are now, each hashed, so that local changes show. Of a
 * package that is installed there, name, header and the parts that were asked for are told; what was
 * not asked for is no part of the comparison.
 * @throws PkgError `usage` where there is no such folder, `integrity` for damaged notes in it.
 */
export async function folderSide(runtime: Runtime, folder: string): Promise<Side> {
  const { pkg, paths: files } = await readFolder(runtime, folder);
  const installation = await findInstallation(folder);
  return {
    where: folder,
    ...(await installedParts(installation)),
    entries: pkg.entries,
    meta: 'unknown',
    open(entry) {
      const digest = statedDigest(entry);
      const path = digest !== undefined && isDigest(digest) ? files.get(digest) : undefined;
      if (path !== undefined) return fileBytes(path, runtime.signal);
      throw new PkgError('not-found', `${folder} has no ${entry.logicalKey}`);
    },
  };
}

async function installedParts(
  installation: Installation | undefined,
): Promise<Pick<Side, 'name' | 'header' | 'part'>> {
  if (installation === undefined) return {};
  const { name, pkg, paths, globbed } = installation;
  const own = { name, header: pkg.header };
  if (paths.length === 0 && globbed.length === 0) return own;
  const part = {
    words: describeSelection(installation),
    covers: await selectionTest(installation),
  };
  return { ...own, part };
}

function describeSelection({ paths, globbed }: Selection): string {
  const parts = globbed.map(({ paths: below, include, exclude }) => {
    const chosen = [...below, ...include].join(' ') || 'all';
    return exclude.length === 0 ? chosen : `${chosen} without ${exclude.join(' ')}`;
  });
  return [...paths, ...parts].join(', ');
}

/** Whether a side is about a logical key at all. */
export function covers({ part }: Pick<Side, 'part'>, key: string): boolean {
  return part === undefined || part.covers(key);
}
