/** Two readings of a merge as one text, with git's conflict markers around the lines in which they differ. */

/** What stands behind the markers, so that the sides can be told from those of a merge by lines. */
const OURS = '<<<<<<< ours (pkg git-merge)';
const MIDDLE = '=======';
const THEIRS = '>>>>>>> theirs (pkg git-merge)';

/** More pairs of lines than these are not compared one with the other. */
const MAX_PAIRS = 4_000_000;

/** The lines of both texts, each once where they agree. */
export function markConflicts(ours: string, theirs: string): string {
  const [mine, yours] = [ours.split('\n'), theirs.split('\n')];
  const lines: string[] = [];
  const pending: { readonly mine: string[]; readonly yours: string[] } = { mine: [], yours: [] };
  const flush = () => {
    if (pending.mine.length === 0 && pending.yours.length === 0) return;
    lines.push(OURS, ...pending.mine, MIDDLE, ...pending.yours, THEIRS);
    pending.mine.length = 0;
    pending.yours.length = 0;
  };
  for (const { line, side } of matchLines(mine, yours)) {
    if (side === 'both') {
      flush();
      lines.push(line);
    } else pending[side].push(line);
  }
  flush();
  return lines.join('\n');
}

/** One reading of a text that `markConflicts` made; undefined where its markers are not those. */
export function readingOf(text: string, side: 'ours' | 'theirs'): string | undefined {
  const lines: string[] = [];
  let place: 'both' | 'ours' | 'theirs' = 'both';
  let marked = false;
  for (const line of text.split('\n')) {
    if (line === OURS && place === 'both') [place, marked] = ['ours', true];
    else if (line === MIDDLE && place === 'ours') place = 'theirs';
    else if (line === THEIRS && place === 'theirs') place = 'both';
    else if (/^(?:<{7}|={7}|>{7})(?: |$)/.test(line)) return undefined;
    else if (place === 'both' || place === side) lines.push(line);
  }
  return marked && place === 'both' ? lines.join('\n') : undefined;
}

interface MatchedLine {
  readonly line: string;
  readonly side: 'both' | 'mine' | 'yours';
}

/** The lines of both in order, by a longest common subsequence between what they begin and end with alike. */
function* matchLines(mine: readonly string[], yours: readonly string[]): Generator<MatchedLine> {
  const shorter = Math.min(mine.length, yours.length);
  let head = 0;
  while (head < shorter && mine[head] === yours[head]) head++;
  let tail = 0;
  while (tail < shorter - head && mine.at(-1 - tail) === yours.at(-1 - tail)) tail++;
  for (const line of mine.slice(0, head)) yield { line, side: 'both' };
  yield* matchMiddles(mine.slice(head, mine.length - tail), yours.slice(head, yours.length - tail));
  for (const line of mine.slice(mine.length - tail)) yield { line, side: 'both' };
}

function* matchMiddles(mine: readonly string[], yours: readonly string[]): Generator<MatchedLine> {
  const isSmall = mine.length * yours.length <= MAX_PAIRS;
  const width = yours.length + 1;
  const longest = isSmall ? commonLengths(mine, yours) : undefined;
  const lengthAt = (row: number, column: number) => longest?.[row * width + column] ?? 0;
  let [row, column] = [0, 0];
  while (longest !== undefined && row < mine.length && column < yours.length) {
    const [line = '', other = ''] = [mine[row], yours[column]];
    if (line === other) {
      yield { line, side: 'both' };
      row++;
      column++;
    } else if (lengthAt(row + 1, column) >= lengthAt(row, column + 1)) {
      yield { line, side: 'mine' };
      row++;
    } else {
      yield { line: other, side: 'yours' };
      column++;
    }
  }
  for (const line of mine.slice(row)) yield { line, side: 'mine' };
  for (const line of yours.slice(column)) yield { line, side: 'yours' };
}

/** How long a common subsequence of the lines from each pair of places on can be. */
function commonLengths(mine: readonly string[], yours: readonly string[]): Uint32Array {
  const width = yours.length + 1;
  const lengths = new Uint32Array((mine.length + 1) * width);
  for (let row = mine.length - 1; row >= 0; row--) {
    for (let column = yours.length - 1; column >= 0; column--) {
      const at = row * width + column;
      lengths[at] =
        mine[row] === yours[column]
          ? (lengths[at + width + 1] ?? 0) + 1
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  return lengths;
}
