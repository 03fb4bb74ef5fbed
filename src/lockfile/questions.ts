/** What a lockfile asks the network for: the part of it that a fetch record answers. */
import { canonicalJson, toPlainJson } from '../store/canonical-json.ts';
import { namedSources } from './drift.ts';
import type { Lockfile } from './lockfile.ts';

/** Parameters that no photo depends on; a key that is not known here counts as one that asks. */
const NOT_ASKING = new Set([
  'description',
  'license',
  'crop',
  'split',
  'model',
  'code',
  'environment',
]);

/** Parts of the toolchain that select and fetch photos. */
const FETCHING = new Set(['query', 'exclude', 'fetch', 'duckdb', 'sharp']);

/**
 * One text for all that decides which photos are asked for, and what counts as an answer. A fetch record
 * holds for every lockfile of the same text, and for no other.
 */
export function questionsOf({ parameters, sources, toolchain, bases = [] }: Lockfile): string {
  const some = (from: object, isMeant: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(from).filter(([key]) => isMeant(key)));
  const questions = {
    parameters: some(parameters, (key) => !NOT_ASKING.has(key)),
    toolchain: some(toolchain, (key) => FETCHING.has(key)),
    sources: [...namedSources(sources)].map(([name, { url, digest, sizeBytes }]) => {
      return { name, url, digest, sizeBytes };
    }),
    bases: bases.filter(({ use }) => use === 'data'),
  };
  return canonicalJson(toPlainJson(questions));
}
