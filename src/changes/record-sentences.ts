/** What the network answered, once and now: the fetch records of two lockfiles in sentences. */
import type { FetchRecord, Lockfile } from '../lockfile/lockfile.ts';
import { questionsOf } from '../lockfile/questions.ts';
import type { Finding } from './changes.ts';
import { sameJson, shown, someNames } from './json-difference.ts';

/** What became of the photos that are on record, and of the record itself. */
export function describeRecord(before: Lockfile, after: Lockfile): readonly Finding[] {
  const [was, is] = [before.fetch, after.fetch];
  if (was === undefined && is === undefined) return [];
  if (was === undefined) {
    return [
      found(`what the network answered is now on record, ${photos(is?.images ?? 0)}`, NOTHING),
    ];
  }
  if (is === undefined) {
    return [found('the fetch record is dropped', 'the next build asks the network again')];
  }
  if (sameJson(was, is)) return [];
  const isSameQuestion = questionsOf(before) === questionsOf(after);
  const sentences = photoSentences(was, is, isSameQuestion);
  if (was.images !== is.images) {
    sentences.push(`the record is of ${photos(is.images)}, no longer of ${String(was.images)}`);
  }
  if (sentences.length === 0) {
    const why = isSameQuestion
      ? 'addresses or HTTP statuses changed, no photo'
      : 'other photos are asked for';
    sentences.push(`the record of what the network answered is another: ${why}`);
  }
  return sentences.map((sentence) => found(sentence));
}

const NOTHING = 'no step runs again for it';

function found(sentence: string, effect?: string): Finding {
  const roots = effect === NOTHING ? [] : (['fetch'] as const);
  return { section: 'record', sentence, roots, effect };
}

/** A sentence for each way in which photos changed, the most telling first. */
function photoSentences(was: FetchRecord, is: FetchRecord, isSameQuestion: boolean): string[] {
  const [before, after] = [outcomesOf(was), outcomesOf(is)];
  const groups = new Map<string, string[]>();
  for (const id of new Set([...after.keys(), ...before.keys()])) {
    const sort = sortOfChange(before.get(id), after.get(id), isSameQuestion);
    if (sort === undefined) continue;
    const ids = groups.get(sort);
    if (ids === undefined) groups.set(sort, [id]);
    else ids.push(id);
  }
  return [...groups].map(([sort, ids]) => `${photos(ids.length)} ${sort}: ${someNames(ids)}`);
}

interface Outcome {
  readonly status: string;
  readonly digest: string;
}

/** `status` or `status digest` by ImageID; photos that are as their metadata promises have none. */
function outcomesOf({ exceptions }: FetchRecord): ReadonlyMap<string, Outcome> {
  return new Map(
    Object.entries(exceptions).map(([id, outcome]) => {
      const [status = '', digest = ''] = outcome.split(' ');
      return [id, { status: shown(status), digest }] as const;
    }),
  );
}

/** Where other photos are asked for, one that is no exception any more may just not be selected. */
function sortOfChange(
  was: Outcome | undefined,
  is: Outcome | undefined,
  isSameQuestion: boolean,
): string | undefined {
  if (was === undefined) return `now ${is?.status ?? ''}${isSameQuestion ? ', ok before' : ''}`;
  if (is === undefined) {
    return `${isSameQuestion ? 'back' : 'back or no longer selected'}, ${was.status} before`;
  }
  if (was.status !== is.status) return `now ${is.status}, ${was.status} before`;
  return was.digest === is.digest ? undefined : `with other bytes, ${is.status} as before`;
}

function photos(count: number): string {
  return count === 1 ? '1 photo' : `${String(count)} photos`;
}
