/** The entries of two packages, held against each other by their hashes. */
import type { Entry } from '../package/entry.ts';
import type { EntryDifference, KindTally } from './reproduction.ts';

/**
 * What differs between published and rebuilt entries, by logical key in code unit order, and how many are
 * of each kind. An entry is the same where its bytes are.
 */
export function compareEntries(
  published: Iterable<Entry>,
  rebuilt: Iterable<Entry>,
): { readonly files: readonly KindTally[]; readonly differences: readonly EntryDifference[] } {
  const identities = new Map<string, string>();
  for (const entry of rebuilt) identities.set(entry.logicalKey, identityOf(entry));
  const tallies = new Map<string, Record<'same' | EntryDifference['kind'], number>>();
  const differences: EntryDifference[] = [];
  const note = (logicalKey: string, kind: 'same' | EntryDifference['kind']) => {
    const folder = logicalKey.includes('/') ? (logicalKey.split('/')[0] ?? '') : '';
    const tally = tallies.get(folder) ?? { same: 0, differs: 0, missing: 0, extra: 0 };
    tally[kind]++;
    tallies.set(folder, tally);
    if (kind !== 'same') differences.push({ logicalKey, kind });
  };
  for (const entry of published) {
    const { logicalKey } = entry;
    const again = identities.get(logicalKey);
    identities.delete(logicalKey);
    if (again === undefined) note(logicalKey, 'missing');
    else note(logicalKey, again === identityOf(entry) ? 'same' : 'differs');
  }
  for (const logicalKey of identities.keys()) note(logicalKey, 'extra');
  const byKey = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return {
    files: [...tallies]
      .sort(([a], [b]) => byKey(a, b))
      .map(([kind, counts]) => ({ kind, ...counts })),
    differences: differences.sort((a, b) => byKey(a.logicalKey, b.logicalKey)),
  };
}

function identityOf({ hash, sizeBytes }: Entry): string {
  return `${hash.type} ${hash.value} ${String(sizeBytes)}`;
}
