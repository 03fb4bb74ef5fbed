/** Looking at a folder without following links: what stands at logical keys and on the way to them. */
import { type BigIntStats, lstatSync } from 'node:fs';
import { OWN_FOLDER } from '../package/verify.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';

export type Kind = 'folder' | 'file' | 'link' | 'absent';

/** The first thing on the way to a key that is no folder. */
export interface Obstacle {
  readonly key: string;
  readonly kind: Kind;
}

/** Code points that some disks leave out of names. */
const IGNORED_IN_NAMES = /\p{Default_Ignorable_Code_Point}/gu;

/** Looks at the folders that lead to logical keys, each once. */
export class FolderPaths {
  readonly #folder: string;
  readonly #obstacles = new Map<string, Obstacle | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(key: string): string {
    return pathIn(this.#folder, key);
  }

  /** What is at a key, with nanoseconds, or undefined where there is nothing. */
  find(key: string): BigIntStats | undefined {
    try {
      return lstatSync(this.path(key), { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      if (systemErrorCode(error) === 'ENOTDIR') return undefined;
      throw storageError(error, `cannot read ${this.path(key)}`);
    }
  }

  kindOf(key: string): Kind {
    return kindOf(this.find(key));
  }

  /** The first thing on the way to a key that is no folder, or undefined where all are real ones. */
  obstacle(key: string): Obstacle | undefined {
    const end = key.lastIndexOf('/');
    return end < 0 ? undefined : this.#obstacleAt(key.slice(0, end));
  }

  #obstacleAt(folderKey: string): Obstacle | undefined {
    if (this.#obstacles.has(folderKey)) return this.#obstacles.get(folderKey);
    const kind = this.obstacle(folderKey) ?? this.kindOf(folderKey);
    const found =
      typeof kind === 'object' ? kind : kind === 'folder' ? undefined : { key: folderKey, kind };
    this.#obstacles.set(folderKey, found);
    return found;
  }
}

/** The path of a logical key, which has no `.` or `..` in it: `path.join` would look for them again. */
export function pathIn(folder: string, logicalKey: string): string {
  return `${folder}/${logicalKey}`;
}

export function kindOf(found: BigIntStats | undefined): Kind {
  if (found === undefined) return 'absent';
  if (found.isDirectory()) return 'folder';
  return found.isSymbolicLink() ? 'link' : 'file';
}

/**
 * Refuses a key inside our own folder, however a disk may spell that.
 * @throws PkgError `integrity`.
 */
export function refuseOwnKey(logicalKey: string): void {
  if (!logicalKey.startsWith('.') && !/^\p{Default_Ignorable_Code_Point}/u.test(logicalKey)) return;
  const [first = ''] = logicalKey.split('/');
  if (foldName(first) !== OWN_FOLDER) return;
  throw new PkgError('integrity', `logical key ${logicalKey} is refused: ${OWN_FOLDER} is ours`);
}

/** A name as disks see it that do not tell upper from lower case or one normal form from another. */
export function foldName(name: string): string {
  return name.replace(IGNORED_IN_NAMES, '').normalize('NFC').toLowerCase().normalize('NFC');
}
