/** The predicate of a query: plain expressions over the columns are taken, everything else is not. */
import { describe, expect, it } from 'vitest';
import { checkWhere } from '../../src/openimages/boxes.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { box, image, query } from '../support/open-images-tables.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function check(where: string): Promise<PkgError | undefined> {
  try {
    await checkWhere(testRuntime(), where, await temporaryFolder());
    return undefined;
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
}

const TABLES = { boxes: [box('a'), box('b', { IsGroupOf: '1' })], images: [image('a')] };

const ACCEPTED = [
  'NOT IsGroupOf AND NOT IsDepiction',
  'not isgroupof and not ISDEPICTION',
  '"IsGroupOf" = 0',
  '(XMax - XMin) * (YMax - YMin) > 0.01',
  '-XMin + 1 >= XMax / 2 OR XMin % 1 = 0',
  'XMin BETWEEN 0.1 AND 0.9',
  'XMin NOT BETWEEN 0.1 AND 0.9',
  "Source IN ('xclick', 'activemil')",
  "Source NOT IN ('xclick')",
  "Title LIKE '%apple%' AND Title NOT LIKE '50!%' ESCAPE '!'",
  "Title ILIKE '%APPLE%' OR Author SIMILAR TO 'A.*'",
  'CASE WHEN IsGroupOf = 1 THEN XMin > 0.5 WHEN Rotation = 90 THEN true ELSE YMin < 0.5 END',
  'COALESCE(Rotation, 0) = 0',
  'NULLIF(Rotation, 0) IS NULL',
  'Rotation IS NULL OR Title IS NOT NULL',
  'Rotation IS DISTINCT FROM 90',
  'IsGroupOf IS TRUE',
  "regexp_matches(Title, '^[A-Z]') AND length(Title) < 40",
  "lower(trim(Author)) = 'me' AND contains(Title, 'x') AND starts_with(License, 'https')",
  'greatest(XMax - XMin, YMax - YMin) > 0.2 AND abs(round(XMin)) < 1',
  'CAST(OriginalSize AS DOUBLE) / 1000 > 5 AND IsOccluded::BOOLEAN',
  'TRY_CAST(Title AS INTEGER) > 5',
  'NOT IsGroupOf -- groups are no single object',
  '/* a comment */ true',
  "Title = ''' OR 1=1 --'",
  'IsGroupOf\n  = 0\nAND\n  IsInside = 0',
];

const REFUSED: readonly (readonly [string, string])[] = [
  ['; DROP TABLE x', 'statements'],
  ['true; DROP TABLE x', 'statements'],
  ['true); DROP TABLE x; SELECT (1', 'statements'],
  ["true); COPY boxes TO '/tmp/x'; SELECT (1", 'statements'],
  ['1) UNION SELECT (2', 'a union'],
  ['1) UNION ALL SELECT * FROM boxes WHERE (1', 'a union'],
  ['1) GROUP BY (XMin', 'a clause'],
  ['1) ORDER BY (XMin', 'a clause'],
  ['1) LIMIT (1', 'a clause'],
  ['1) QUALIFY (true', 'a clause'],
  ['1) USING SAMPLE (10', 'a clause'],
  ['1) HAVING (true', 'a clause'],
  ['1) -- )', 'a clause'],
  ['SELECT 1', 'a statement'],
  ['ImageID IN (SELECT ImageID FROM boxes)', 'a sub-select'],
  ['EXISTS (SELECT 1)', 'a sub-select'],
  ['XMin > ALL (SELECT 1)', 'a sub-select'],
  ['XMin = (SELECT 1)', 'a sub-select'],
  ["XMin = (FROM read_csv('/etc/passwd'))", 'a sub-select'],
  ["length(read_text('/etc/passwd')) > 0", 'the outside'],
  ["read_csv('/etc/passwd') IS NULL", 'the outside'],
  ["glob('/*') IS NULL", 'the outside'],
  ["getenv('HOME') = 'x'", 'the outside'],
  ["current_setting('threads') = '1'", 'the outside'],
  ["getvariable('x') = 1", 'the outside'],
  ["nextval('s') = 1", 'the outside'],
  ['random() > 0.5', 'chance'],
  ["gen_random_uuid()::VARCHAR = ''", 'chance'],
  ['now() IS NOT NULL', 'the clock'],
  ["current_date > DATE '2020-01-01'", 'the clock'],
  ['current_timestamp IS NULL', 'the clock'],
  ['today() IS NULL', 'the clock'],
  ['row_number() OVER () < 5', 'a window function'],
  ['sum(XMin) OVER (PARTITION BY ImageID) > 1', 'a window function'],
  ['count(*) > 1', 'an aggregate'],
  ['max(XMin) > 0.5', 'an aggregate'],
  ['list(XMin) IS NULL', 'an aggregate'],
  ['XMin > ?', 'a parameter'],
  ['XMin > $1', 'a parameter'],
  ['XMin > $limit', 'a parameter'],
  ['COLUMNS(*) > 1', 'a star'],
  ["COLUMNS('X.*') > 0.5", 'a star'],
  ['*', 'a star'],
  ['list_transform([1], x -> x + 1) IS NULL', 'a lambda'],
  ['[x + 1 FOR x IN [1, 2]] IS NULL', 'a lambda'],
  ['[1, 2][1] = 1', 'a list'],
  ["{'a': 1}.a = 1", 'a struct'],
  ['boxes.XMin > 0.5', 'a qualified column'],
  ['main.boxes.XMin > 0.5', 'a qualified column'],
  ['x.y.z = 1', 'a qualified column'],
  ["Title COLLATE NOCASE = 'a'", 'a collation'],
  ['pg_catalog.abs(XMin) > 0', 'a qualified function'],
  ['add(1, 2) = 3 AND my_macro(XMin)', 'a macro'],
  ["XMin::DECIMAL(5, 2) > 0.5 OR Title::BLOB = 'x'", 'another type'],
  ["INTERVAL '1' DAY IS NULL", 'another type'],
  ['', 'nothing'],
  ['   \n ', 'nothing'],
  ['-- nothing but a comment', 'nothing'],
  ['NOT', 'half an expression'],
  ["Title = 'open", 'half an expression'],
  ['(IsGroupOf', 'half an expression'],
  ['rowid > 5', 'an inner column'],
  ['number > 5', 'an inner column'],
  ["Fault = ''", 'an inner column'],
  [`${'('.repeat(20_000)}true${')'.repeat(20_000)}`, 'deep nesting'],
  [`${'NOT '.repeat(50_000)}true`, 'deep nesting'],
  [`${'abs('.repeat(5000)}1${')'.repeat(5000)} > 0`, 'deep nesting'],
];

describe('a predicate', () => {
  it.each(ACCEPTED)('is taken and runs: %s', async (where) => {
    expect(await check(where)).toBeUndefined();
    const { counts } = await query(TABLES, { where });
    expect(counts.boxes).toBeLessThanOrEqual(2);
  });

  it.each(REFUSED.map(([where, what]) => ({ where, what, shown: where.slice(0, 60) })))(
    'is refused with $what: $shown',
    async ({ where }) => {
      const error = await check(where);
      expect(error?.code).toBe('manifest');
      expect(error?.key).toBe('data.query.where');
    },
  );

  it('with a misspelt column gets the nearest one named', async () => {
    const error = await check('NOT IsGroupOff');
    expect(error?.message).toBe('unknown column "IsGroupOff"');
    expect(error?.hint).toBe('did you mean "IsGroupOf"?');
    expect((await check('Wheels > 4'))?.hint).toContain('Columns: ImageID, Source, LabelName');
  });

  it.each([
    ['Title > 5', 'a text that is no number'],
    ["regexp_matches(Title, '(')", 'a broken pattern'],
    ["'abc'", 'a text instead of a truth value'],
    ['OriginalSize * 9223372036854775807 > 1', 'a number too large'],
    ['abs(-9223372036854775807 - IsOccluded - 1) > 0', 'a number too large'],
  ])('that fails on a row is an error of the manifest: %s', async (where) => {
    const work = query({ boxes: [box('a')], images: [image('a')] }, { where });
    await expect(work).rejects.toMatchObject({ code: 'manifest', key: 'data.query.where' });
  });
});
