/** A repository's objects by their ids: loose ones and those in packs, checked as they are read. */
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { type GitObject, type ObjectType, Pack, PackIndex, type ReadRange } from './pack.ts';
import { TREE_LIMITS } from './tree-path.ts';

/** An `objects` folder, wherever it lies. */
export interface ObjectFolder {
  /** A file's content by its path in the folder, or undefined. */
  readFile(path: string): Promise<Buffer | undefined>;
  /** The names in a folder of it; none where it is absent. */
  list(path: string): Promise<readonly string[]>;
  /** A file to be read in pieces, or undefined where it is absent. */
  open(path: string): Promise<{ readonly read: ReadRange; readonly sizeBytes: number } | undefined>;
}

export interface GitObjects {
  /**
   * The object of a full id, or undefined where the repository lacks it.
   * @throws PkgError `integrity` where it is damaged.
   */
  read(id: string): Promise<GitObject | undefined>;
  /** Up to two ids or more that begin with these hex digits, four or more. */
  findByPrefix(digits: string): Promise<ReadonlySet<string>>;
}

/** Room for `type size\0` before a loose object's bytes. */
const LOOSE_HEADER_BYTES = 32;

/** The objects in several folders: a repository's own and those it borrows from. */
export function openObjects(folders: readonly ObjectFolder[]): GitObjects {
  let packs: Promise<readonly Pack[]> | undefined;
  const packed = async (id: string): Promise<GitObject | undefined> => {
    packs ??= openPacks(folders);
    for (const pack of await packs) {
      const start = pack.index.find(id);
      if (start !== undefined) return await pack.readAt(start, read);
    }
    return undefined;
  };
  const read = (id: string): Promise<GitObject | undefined> =>
    undamaged(`the git object ${id}`, async () => {
      const found = (await packed(id)) ?? (await readLoose(folders, id));
      if (found === undefined) return undefined;
      if (objectId(found.type, found.bytes) !== id) throw new Error('it does not match its id');
      return found;
    });
  const findByPrefix = (digits: string): Promise<ReadonlySet<string>> =>
    undamaged('the list of git objects', async () => {
      packs ??= openPacks(folders);
      const found = new Set<string>();
      for (const pack of await packs) {
        for (const id of pack.index.findByPrefix(digits)) found.add(id);
      }
      for (const folder of folders) {
        for (const name of await folder.list(digits.slice(0, 2))) {
          const id = digits.slice(0, 2) + name;
          if (/^[0-9a-f]{40}$/.test(id) && id.startsWith(digits)) found.add(id);
        }
      }
      return found;
    });
  return { read, findByPrefix };
}

/** Whatever fails while a repository's files are taken apart is damage to them. */
async function undamaged<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PkgError) throw error;
    throw new PkgError('integrity', `${what} cannot be read: ${messageOf(error)}`, {
      hint: 'Run git fsck in the repository, or clone it anew.',
      cause: error,
    });
  }
}

/** The SHA-1 by which git knows an object: of its type, its size and its bytes. */
export function objectId(type: ObjectType, bytes: Uint8Array): string {
  const hash = createHash('sha1').update(`${type} ${String(bytes.length)}\0`);
  return hash.update(bytes).digest('hex');
}

async function openPacks(folders: readonly ObjectFolder[]): Promise<readonly Pack[]> {
  const packs: Pack[] = [];
  for (const folder of folders) {
    for (const name of await folder.list('pack')) {
      if (!name.endsWith('.idx')) continue;
      const index = await folder.readFile(`pack/${name}`);
      const pack = await folder.open(`pack/${name.replace(/idx$/, 'pack')}`);
      if (index === undefined || pack === undefined) continue;
      packs.push(new Pack(new PackIndex(index), pack.read, pack.sizeBytes));
    }
  }
  return packs;
}

async function readLoose(
  folders: readonly ObjectFolder[],
  id: string,
): Promise<GitObject | undefined> {
  for (const folder of folders) {
    const deflated = await folder.readFile(`${id.slice(0, 2)}/${id.slice(2)}`);
    if (deflated === undefined) continue;
    const maxOutputLength = TREE_LIMITS.fileBytes + LOOSE_HEADER_BYTES;
    const raw = inflateSync(deflated, { maxOutputLength });
    const end = raw.subarray(0, LOOSE_HEADER_BYTES).indexOf(0);
    const header = /^(commit|tree|blob|tag) (\d+)$/.exec(
      raw.toString('latin1', 0, Math.max(0, end)),
    );
    const bytes = raw.subarray(end + 1);
    const type = header?.[1];
    if (!isObjectType(type) || header?.[2] !== String(bytes.length)) {
      throw new Error('its header is damaged');
    }
    return { type, bytes };
  }
  return undefined;
}

function isObjectType(type: string | undefined): type is ObjectType {
  return type === 'commit' || type === 'tree' || type === 'blob' || type === 'tag';
}
