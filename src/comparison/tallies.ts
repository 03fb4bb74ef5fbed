/** Counts of files and rows by what became of them, and the first names of each. */
import type { Entry } from '../package/entry.ts';
import type {
  ChangedFile,
  CropChange,
  FilesComparison,
  KindComparison,
  MovedFile,
  NamedFile,
  PhotoChange,
  RowsChange,
} from './comparison.ts';

/** Top folders beyond so many count as one kind. */
const MAX_KINDS = 32;
const OTHER_KINDS = 'other';

type State = Exclude<keyof KindComparison, 'kind'>;
type Counts = Record<State, { files: number; sizeBytes: number }>;

/** What is needed of a file to count and name it. */
type FileSize = Pick<Entry, 'logicalKey' | 'sizeBytes'>;

export class FileTally {
  readonly #maxNames: number;
  readonly #kinds = new Map<string, Counts>();
  readonly #changed: ChangedFile[] = [];
  readonly #added: NamedFile[] = [];
  readonly #removed: NamedFile[] = [];
  readonly #moved: MovedFile[] = [];
  readonly #otherMeta = { files: 0, names: new Array<string>() };

  /** At most `maxNames` names are kept of each kind and state; counts know no limit. */
  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  same(file: FileSize): void {
    this.#count('same', file);
  }

  otherMeta({ logicalKey }: FileSize): void {
    this.#otherMeta.files += 1;
    if (this.#otherMeta.files <= this.#maxNames) this.#otherMeta.names.push(logicalKey);
  }

  changed(before: FileSize, after: FileSize): void {
    const named = this.#count('changed', after);
    if (named !== undefined) this.#changed.push({ ...named, sizeBytesBefore: before.sizeBytes });
  }

  added(file: FileSize): void {
    const named = this.#count('added', file);
    if (named !== undefined) this.#added.push(named);
  }

  removed(file: FileSize): void {
    const named = this.#count('removed', file);
    if (named !== undefined) this.#removed.push(named);
  }

  moved(from: FileSize, to: FileSize): void {
    const named = this.#count('moved', to);
    if (named !== undefined) this.#moved.push({ ...named, from: from.logicalKey });
  }

  finish(): FilesComparison {
    const kinds = [...this.#kinds]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, counts]) => ({ kind, ...counts }));
    return {
      kinds,
      changed: this.#changed,
      added: this.#added,
      removed: this.#removed,
      moved: this.#moved,
      otherMeta: this.#otherMeta,
    };
  }

  /** The file as it is named, or undefined where enough of its kind and state are. */
  #count(state: State, { logicalKey, sizeBytes }: FileSize): NamedFile | undefined {
    const kind = this.#kindOf(logicalKey);
    const counts = this.#kinds.get(kind) ?? emptyCounts();
    this.#kinds.set(kind, counts);
    counts[state].files += 1;
    counts[state].sizeBytes += sizeBytes;
    return counts[state].files > this.#maxNames ? undefined : { kind, logicalKey, sizeBytes };
  }

  #kindOf(logicalKey: string): string {
    const end = logicalKey.indexOf('/');
    const kind = end < 0 ? '' : logicalKey.slice(0, end);
    return this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : OTHER_KINDS;
  }
}

function emptyCounts(): Counts {
  const none = () => ({ files: 0, sizeBytes: 0 });
  return { same: none(), changed: none(), added: none(), removed: none(), moved: none() };
}

/** Sorts beyond so many count as one, since anyone may fill a table with them. */
const MAX_SORTS = 1000;
const OTHER_SORTS = 'other';

/** No class, status or split is told at more length. */
const MAX_SORT_LENGTH = 200;

interface Counted {
  rows: number;
  readonly of: Map<string, number>;
  readonly names: string[];
}

export class RowTally<Change extends PhotoChange | CropChange> {
  readonly #maxNames: number;
  readonly #changes: ReadonlyMap<Change, Counted>;

  /** Changes are told in the order given; at most `maxNames` names are kept of each. */
  constructor(changes: readonly Change[], maxNames: number) {
    this.#maxNames = maxNames;
    this.#changes = new Map(
      changes.map((change) => [change, { rows: 0, of: new Map<string, number>(), names: [] }]),
    );
  }

  add(change: Change, sort: string, name: string): void {
    const counted = this.#changes.get(change);
    if (counted === undefined) return;
    counted.rows += 1;
    if (counted.names.length < this.#maxNames) counted.names.push(name);
    const short = sort.slice(0, MAX_SORT_LENGTH);
    const isKept = counted.of.has(short) || counted.of.size < MAX_SORTS;
    const key = isKept ? short : OTHER_SORTS;
    counted.of.set(key, (counted.of.get(key) ?? 0) + 1);
  }

  /** The changes that befell any row; sorts with the most rows first. */
  finish(): readonly RowsChange<Change>[] {
    return [...this.#changes]
      .filter(([, { rows }]) => rows > 0)
      .map(([change, { rows, of, names }]) => {
        const sorted = [...of].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
        return { change, rows, of: Object.fromEntries(sorted), names };
      });
  }
}
