/** Which part of a package is wanted, and what becomes of that when more is asked for. */
import { describe, expect, it } from 'vitest';
import {
  joinSelection,
  partOf,
  requirePart,
  type Selection,
  selectedEntries,
} from '../../src/installation/selection.ts';
import { failureOf } from '../registry/registry-contract.ts';
import { samplePackage } from '../support/sample-packages.ts';

const { pkg } = samplePackage({
  'a.csv': 'a',
  'b/a.csv': 'b',
  'b/c.jpg': 'c',
  'd/e.jpg': 'd',
  bc: 'f',
});
const ALL: Selection = { paths: [], globbed: [] };

async function keysOf(selection: Selection): Promise<readonly string[]> {
  const entries = await selectedEntries(pkg, selection);
  const keys = Array.from(entries, ({ logicalKey }) => logicalKey);
  expect(entries).toHaveLength(keys.length);
  return keys;
}

describe('a selection', () => {
  it('is all of a package, or what is at paths, fits what is included and nothing excluded', async () => {
    const ask = (...asked: Parameters<typeof partOf>) =>
      keysOf(joinSelection(undefined, partOf(...asked)));
    expect(await ask([], [], [])).toEqual(['a.csv', 'b/a.csv', 'b/c.jpg', 'bc', 'd/e.jpg']);
    expect(await ask(['b/'], [], [])).toEqual(['b/a.csv', 'b/c.jpg']);
    expect(await ask([], ['*.csv', 'd/**'], [])).toEqual(['a.csv', 'b/a.csv', 'd/e.jpg']);
    expect(await ask(['b', 'bc'], ['*.csv'], [])).toEqual(['b/a.csv']);
    expect(await ask([], [], ['*.csv', 'd'])).toEqual(['b/c.jpg', 'bc']);
    expect(await ask([], ['b/**'], ['*.jpg'])).toEqual(['b/a.csv']);
  });

  it('grows when more is asked for, and stays where nothing is', () => {
    const csv = partOf([], ['*.csv'], []);
    const some = joinSelection(undefined, csv);
    expect(some).toEqual({ paths: [], globbed: [csv] });
    expect(joinSelection(some, csv)).toEqual(some);
    expect(joinSelection(some, partOf([], [], []))).toEqual(some);
    const more = joinSelection(some, partOf(['d'], [], []));
    expect(more).toEqual({ paths: ['d'], globbed: [csv] });
    const rest = partOf(['b'], [], ['*.csv']);
    expect(joinSelection(more, rest)).toEqual({ paths: ['d'], globbed: [csv, rest] });
    expect(joinSelection(ALL, csv)).toEqual(ALL);
    expect(joinSelection({ paths: ['d'], globbed: [] }, partOf([], [], []))).toEqual(ALL);
  });

  it.each([
    { part: partOf(['b', 'x', 'd/e'], [], []), names: /x, d\/e/ },
    { part: partOf([], ['*.csv', '*.png'], []), names: /\*\.png/ },
    { part: partOf(['d'], ['*.csv'], []), names: /\*\.csv/ },
    { part: partOf([], ['*.csv'], ['**']), names: /--exclude/ },
  ])('is refused where the package has nothing of it', async ({ part, names }) => {
    const error = await failureOf(requirePart(pkg, part));
    expect(error).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(names) as string,
    });
  });
});
