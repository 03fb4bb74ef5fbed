/** selectBoxes against other people's figures: Python's SQLite, and the counts of EXPECTED.json. */
import { expect, it } from 'vitest';
import { classesOf, expectedClasses, OID_MINI, TABLES } from '../support/oid-mini.ts';
import { query } from '../support/open-images-tables.ts';
import { runPython } from '../support/python.ts';
import { describeWithShared } from '../support/shared.ts';

const SQLITE = `
import csv, json, sqlite3, sys
boxes, images, labels, where = sys.argv[1:5]
db = sqlite3.connect(':memory:')
db.execute('PRAGMA case_sensitive_like = ON')
def load(table, path, numbers):
    with open(path, encoding='utf-8', newline='') as file:
        rows = csv.reader(file)
        header = next(rows)
        kinds = ', '.join(f'"{n}" {"NUMERIC" if n in numbers else "TEXT"}' for n in header)
        db.execute(f'CREATE TABLE {table} ({kinds}, line INTEGER)')
        marks = ', '.join('?' for _ in range(len(header) + 1))
        # Python's float is exact to the last bit; SQLite's own reading of decimals is not.
        cell = lambda n, text: text if n not in numbers else None if text == '' else float(text)
        db.executemany(f'INSERT INTO {table} VALUES ({marks})',
            ([cell(n, c) for n, c in zip(header, row)] + [i] for i, row in enumerate(rows)))
FLAGS = ['IsOccluded', 'IsTruncated', 'IsGroupOf', 'IsDepiction', 'IsInside']
load('boxes', boxes, ['XMin', 'XMax', 'YMin', 'YMax', 'Confidence'] + FLAGS)
load('images', images, ['OriginalSize', 'Rotation'])
labels = json.loads(labels)
chosen = ', '.join('?' for _ in labels)
db.execute('CREATE INDEX by_id ON images (ImageID)')
found = db.execute(f'''
    SELECT b.ImageID, b.LabelName, b.XMin, b.XMax, b.YMin, b.YMax, b.IsOccluded, b.IsTruncated,
      b.IsGroupOf, b.IsDepiction, b.IsInside, b.Source,
      CASE WHEN i.ImageID IS NULL THEN 'orphan'
        WHEN NOT (0 <= b.XMin AND b.XMin < b.XMax AND b.XMax <= 1
              AND 0 <= b.YMin AND b.YMin < b.YMax AND b.YMax <= 1) THEN 'invalid-box'
        ELSE '' END AS fault, i.Title
    FROM boxes b LEFT JOIN images i ON i.ImageID = b.ImageID
    WHERE b.LabelName IN ({chosen}) AND ({where})''', labels).fetchall()
print(json.dumps(found))
`;

type SqliteRow = readonly (string | number | null)[];

const PREDICATES = [
  'true',
  'NOT IsGroupOf AND NOT IsDepiction',
  '(XMax - XMin) * (YMax - YMin) > 0.05 AND XMin BETWEEN 0.1 AND 0.6',
  'IsOccluded = 1 OR IsTruncated = -1 OR IsInside <> 0',
  "Source = 'activemil' AND coalesce(Rotation, 0) = 0",
  "Rotation IS NULL OR OriginalSize < 50000 OR Title LIKE '%the%'",
];

describeWithShared(OID_MINI)('the boxes of the shared data set', () => {
  it.each(PREDICATES)('are those that SQLite finds, where %s', async (where) => {
    const mids = (await expectedClasses()).slice(0, 3).map(([mid]) => mid);
    const theirs = await runPython<SqliteRow[]>(SQLITE, [
      TABLES.boxes.path,
      TABLES.images.path,
      JSON.stringify(mids),
      where,
    ]);
    const ours = await query(
      { boxes: [TABLES.boxes], images: [TABLES.images] },
      { classes: await classesOf(mids), where },
    );
    const titles = new Map(ours.images.map(({ ImageID, Title }) => [ImageID, Title]));
    const rows = ours.boxes.map((row) => [
      ...[row.ImageID, row.LabelName, ...[row.XMin, row.XMax, row.YMin, row.YMax].map(Number)],
      ...[row.IsOccluded, row.IsTruncated, row.IsGroupOf, row.IsDepiction].map(Number),
      ...[Number(row.IsInside), row.Source],
      // SQLite marks no repetitions; ours carry their own mark on rows that are else plain.
      row.Fault === 'repeated-box' ? '' : row.Fault,
      titles.get(row.ImageID) ?? null,
    ]);
    const sorted = (list: readonly SqliteRow[]) => list.map((row) => JSON.stringify(row)).sort();
    expect(rows.length).toBeGreaterThan(0);
    expect(sorted(rows)).toEqual(sorted(theirs));
    expect(new Set(ours.images.map(({ ImageID }) => ImageID))).toEqual(
      new Set(theirs.filter((row) => row[12] !== 'orphan').map(([id]) => id)),
    );
  });

  it('are as many as EXPECTED.json says, for every class and fault', async () => {
    const classes = await expectedClasses();
    const { boxes } = await query(
      { boxes: [TABLES.boxes], images: [TABLES.images] },
      { classes: await classesOf(classes.map(([mid]) => mid)) },
    );
    const count = (mid: string, fault?: string) =>
      boxes.filter((row) => row.LabelName === mid && (fault === undefined || row.Fault === fault))
        .length;
    expect(
      classes.map(([mid, { name }]) => ({
        name,
        box_rows: count(mid),
        orphan_rows: count(mid, 'orphan'),
        invalid_rows: count(mid, 'invalid-box'),
        duplicate_rows: count(mid, 'repeated-box'),
      })),
    ).toEqual(
      classes.map(([, { name, box_rows, orphan_rows, invalid_rows, duplicate_rows }]) => ({
        ...{ name, box_rows, orphan_rows, invalid_rows, duplicate_rows },
      })),
    );
  });
});
