/** Paths of pinned code: what a file may be called, so that it can be written on any machine. */

/** Limits of a tree, far above any code and far below what fills a disk. */
export const TREE_LIMITS = {
  files: 100_000,
  /** Of all files together. */
  sizeBytes: 1 << 30,
  /** Of one file. */
  fileBytes: 1 << 28,
  pathBytes: 4096,
  nameBytes: 255,
  depth: 100,
} as const;

/** Characters that HFS+ ignores in names, so that `.g\u200cit` is `.git` there. */
const IGNORED_CHARACTERS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** What is wrong with a relative path, as the end of a sentence; undefined where nothing is. */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (Buffer.byteLength(path) > TREE_LIMITS.pathBytes) return 'is too long';
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return 'holds a backslash or a control character';
  if (/[\ufffd\p{Surrogate}]/u.test(path)) return 'is not UTF-8';
  const names = path.split('/');
  if (names.length > TREE_LIMITS.depth) return 'is too deep';
  for (const name of names) {
    const fault = nameFault(name);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function nameFault(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'leads out of its folder';
  if (Buffer.byteLength(name) > TREE_LIMITS.nameBytes) return 'holds a name that is too long';
  const plain = name.replace(IGNORED_CHARACTERS, '').toLowerCase();
  const onWindows = (plain.split(':')[0] ?? '').replace(/[. ]{1,255}$/, '');
  if (onWindows === '.git' || /^git~\d$/.test(onWindows)) return 'holds the reserved name .git';
  if (onWindows === '') return 'holds a name of dots and spaces only';
  return undefined;
}

/** Finds paths that would be one on a disk that ignores case or the spelling of accents. */
export class PathClashes {
  readonly #spellings = new Map<string, string>();
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  /** Takes a file's path; returns the path it clashes with, if any. */
  add(path: string): string | undefined {
    if (this.#files.has(path) || this.#folders.has(path)) return path;
    this.#files.add(path);
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const above = path.slice(0, end);
      if (this.#files.has(above)) return above;
      this.#folders.add(above);
      const clash = this.#note(above);
      if (clash !== undefined) return clash;
    }
    return this.#note(path);
  }

  #note(path: string): string | undefined {
    const folded = path.normalize('NFC').toLowerCase();
    const known = this.#spellings.get(folded);
    if (known === undefined) this.#spellings.set(folded, path);
    return known === undefined || known === path ? undefined : known;
  }
}

/** By the bytes of their UTF-8, as tar and git compare paths. */
export function comparePaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
