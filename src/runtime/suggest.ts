/** "Did you mean": the nearest known word to a misspelt one. */
import { distance } from 'fastest-levenshtein';

/**
 * The known words nearest to `word`, nearest first, at most three; empty when none is near enough
 * to be a slip of the fingers (a third of its letters, case aside).
 */
export function suggest(word: string, known: Iterable<string>): readonly string[] {
  const wanted = word.toLowerCase();
  const limit = Math.ceil(wanted.length / 3);
  return [...known]
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `did you mean "x" or "y"?`, or nothing when no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const near = suggest(word, known);
  if (near.length === 0) return undefined;
  return `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
}
