/** A comparison as a person reads it. */
import { expect, it } from 'vitest';
import { diffLines } from '../../src/cli/diff-lines.ts';
import { compare, cropsTable, imagesTable, sideOf } from '../comparison/sides.ts';

/** As many names as the command keeps. */
const NAMES = 5;

async function linesOf(...[a, b]: Parameters<typeof compare>): Promise<readonly string[]> {
  return diffLines(await compare(a, b, NAMES));
}

const digits = (n: number) =>
  Array.from({ length: n }, (_, index) => String(index).padStart(3, '0'));

it('says in words what became of photos, boxes, parameters and metrics', async () => {
  const lock = (epochs: number) => JSON.stringify({ parameters: { model: { fit: { epochs } } } });
  const evaluation = (accuracy: number) => JSON.stringify({ splits: { test: { accuracy } } });
  const ids = digits(12);
  const lines = await linesOf(
    {
      'metadata/images.csv': imagesTable(...ids.map((id) => `${id} ok ${id}`)),
      'metadata/crops.csv': cropsTable('000 Apple 0.5 train x', '001 Apple 0.5 train y'),
      'manifest.lock.json': lock(40),
      'models/evaluation.json': evaluation(0.81),
    },
    {
      'metadata/images.csv': imagesTable(...ids.map((id) => `${id} gone`)),
      'metadata/crops.csv': cropsTable(
        ...['000 Apple 0.5 test x', '001 Orange 0.5 train y'],
        ...digits(40).map((id) => `1${id} Apple 0.5 train ${id}`),
      ),
      'manifest.lock.json': lock(60),
      'models/evaluation.json': evaluation(0.84),
    },
  );
  expect(lines).toEqual(
    expect.arrayContaining([
      '  model.fit.epochs: 40 -> 60',
      '  test.accuracy  0.81 -> 0.84  (+0.03)',
      '  12 photos died (gone 12)',
      '    000, 001, 002, 003, 004 and 7 more',
      '  40 crops new in Apple',
      '  1 box relabelled (Apple -> Orange 1)',
      '    001_0.5.jpg',
      '  1 crop changed its split (train -> test 1)',
    ]),
  );
});

it('counts files by kind, and names some of each', async () => {
  const many = Object.fromEntries(digits(30).map((id) => [`images/${id}.jpg`, id] as const));
  const lines = await linesOf({ 'README.md': 'a', old: 'moved' }, { ...many, new: 'moved' });
  expect(lines.slice(3)).toEqual([
    'files',
    '           same  changed  added      removed  moved',
    '  (top)    -     -        -          1 (1 B)  1 (5 B)',
    '  images/  -     -        30 (90 B)  -        -',
    ...digits(5).map((id, row) => `  ${row === 0 ? 'added  ' : '       '}  images/${id}.jpg  3 B`),
    '           and 25 more in images/',
    '  removed  README.md  1 B',
    '  moved    old -> new',
  ]);
});

it('says when nothing differs', async () => {
  const lines = await linesOf({ a: '1' }, { a: '1' });
  expect(lines[0]).toMatch(/^A {2}test\/pkg@[0-9a-f]{12} {2}a registry {2}1 file, 1 B$/);
  expect(lines.slice(2)).toEqual(['', 'no difference']);
});

it('stays short, whatever differs', async () => {
  const names = digits(500);
  const parameters = (value: string) =>
    JSON.stringify({ parameters: Object.fromEntries(names.map((name) => [name, value])) });
  const lines = await linesOf(
    { 'manifest.lock.json': parameters('a') },
    {
      'manifest.lock.json': parameters('b'.repeat(10_000)),
      ...Object.fromEntries(names.map((name) => [`${name}/x`, name] as const)),
    },
  );
  expect(lines).toContain('  and 480 more, see --json');
  expect(lines.length).toBeLessThan(250);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(200);
});

it('passes no control characters of others on to the terminal', async () => {
  const evil = '\u001b[31mred\r\n';
  const header = new Map([['message', evil]]);
  const lines = await linesOf(
    sideOf({ 'metadata/images.csv': imagesTable(), [`${evil}/x`]: '1' }),
    sideOf(
      { 'metadata/images.csv': imagesTable(`${evil} ok a`).replace(/""/g, ''), [evil]: '2' },
      { header },
    ),
  );
  for (const line of lines) expect(line).not.toMatch(/\p{Cc}/u);
  expect(lines.join('\n')).toContain('red');
});
