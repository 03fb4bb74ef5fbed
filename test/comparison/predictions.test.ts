/** What a comparison says of models' judgement of the same crops. */
import { describe, expect, it } from 'vitest';
import { diffLines } from '../../src/cli/diff-lines.ts';
import type { Files } from '../support/sample-packages.ts';
import { compare } from './sides.ts';

const HEADER = 'LogicalKey,ImageID,Split,Class,Predicted,Probability:Apple,Probability:Pear\n';

/** Rows of `key class predicted probability-of-apple`. */
function table(...rows: readonly string[]): Files {
  const lines = rows.map((row) => {
    const [key = '', name = '', predicted = '', apple = ''] = row.split(' ');
    return `${key},id,test,${name},${predicted},${apple},${String(1 - Number(apple))}\n`;
  });
  return { 'models/predictions.csv': HEADER + lines.join('') };
}

describe('predictions compared', () => {
  it('counts crops taken for another class, and names the largest changes first', async () => {
    const { predictions } = await compare(
      table('a Apple Apple 0.75', 'b Apple Apple 0.5', 'c Pear Pear 0.25', 'gone Pear Pear 0'),
      table('c Pear Apple 0.75', 'a Apple Apple 0.75', 'b Apple Pear 0.25', 'new Pear Pear 0'),
      2,
    );
    expect(predictions).toEqual({
      ...{ judged: 3, onlyBefore: 1, onlyAfter: 1, otherClass: 2 },
      ...{ rightBefore: 3, rightAfter: 1, meanChange: 0.25 },
      of: { 'Apple -> Pear': 1, 'Pear -> Apple': 1 },
      largest: [
        {
          ...{ logicalKey: 'c', class: 'Pear', before: 'Pear', after: 'Apple' },
          ...{ of: 'Apple', probabilityBefore: 0.25, probabilityAfter: 0.75 },
        },
        {
          ...{ logicalKey: 'b', class: 'Apple', before: 'Apple', after: 'Pear' },
          ...{ of: 'Apple', probabilityBefore: 0.5, probabilityAfter: 0.25 },
        },
      ],
    });
  });

  it('keeps the largest changes of any number of rows', async () => {
    const rows = (shift: number) =>
      Array.from(
        { length: 1000 },
        (_, index) =>
          `k${String(index)} Apple Apple ${String(shift * (((index * 7) % 1000) / 1000))}`,
      );
    const { predictions } = await compare(table(...rows(0)), table(...rows(1)), 3);
    expect(predictions?.largest.map(({ probabilityAfter }) => probabilityAfter)).toEqual([
      0.999, 0.998, 0.997,
    ]);
  });

  it('says nothing where both sides have the same or none', async () => {
    expect((await compare(table('a Apple Apple 1'), table('a Apple Apple 1'))).predictions).toBe(
      undefined,
    );
    expect((await compare({ a: '1' }, { a: '2' })).predictions).toBe(undefined);
  });

  it('compares the classes that both know', async () => {
    const other = table('a Apple Apple 1');
    const renamed = String(other['models/predictions.csv']).replace(':Pear', ':Plum');
    const { predictions } = await compare(other, { 'models/predictions.csv': renamed });
    expect(predictions).toMatchObject({ judged: 1, meanChange: 0, largest: [] });
  });

  it.each([
    ['a,b\n1,2\n', /has no probabilities of classes/],
    ['', /is empty/],
    [`${HEADER}a,id,test,Apple,Apple,much,0\n`, /no probability/],
    [`${HEADER}a,id,test\n`, /cannot be read/],
    [`"${'x'.repeat(2 << 20)}`, /cannot be read/],
    ['Probability:Apple\n1\n', /lacks one of/],
  ])('names what is no such table, and compares the rest: %#', async (content, why) => {
    const { predictions, notes, files } = await compare(table('a Apple Apple 1'), {
      'models/predictions.csv': content,
    });
    expect(predictions).toBe(undefined);
    expect(notes.join()).toMatch(why);
    expect(files.changed).toHaveLength(1);
  });

  it('reads as sentences', async () => {
    const comparison = await compare(
      table('a Apple Apple 0.75', 'b Pear Pear 0.25'),
      table('a Apple Pear 0.25', 'c Pear Pear 0.25'),
    );
    const lines = diffLines(comparison);
    const at = lines.indexOf('predictions');
    expect(lines.slice(at + 1, at + 6)).toEqual([
      '  of 1 crop judged by both, 1 taken for another class (Apple -> Pear 1)',
      '  right: 1 -> 0; probabilities moved by 0.5000 on average',
      '  1 crop judged by A alone',
      '  1 crop judged by B alone',
      '    a  Apple -> Pear (is Apple)  Apple 0.7500 -> 0.2500',
    ]);
  });
});
