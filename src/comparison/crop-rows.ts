/** Rows of `metadata/crops.csv`: which crops are new or gone, and which boxes became others. */
import { CROP_CHANGES, type CropChange, type RowsChange } from './comparison.ts';
import { joinByPhoto, type TableBytes } from './rows.ts';
import { RowTally } from './tallies.ts';

const COLUMNS = [
  ...['LogicalKey', 'LabelName', 'Class', 'XMin', 'XMax', 'YMin', 'YMax'],
  ...['Split', 'Digest', 'Reason'],
] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number] | 'ImageID', string>>;

/**
 * What became of boxes and crops, by class, reason or split. A box that has another label keeps its
 * place: it is relabelled, not gone and new.
 * @throws DocumentProblem where a table is no table of crops in the order of their photos.
 */
export async function compareCrops(
  before: TableBytes,
  after: TableBytes,
  maxNames: number,
): Promise<readonly RowsChange<CropChange>[]> {
  const tally = new RowTally(CROP_CHANGES, maxNames);
  for await (const photo of joinByPhoto(before, after, COLUMNS)) {
    const labelled = pairRows(
      photo.before,
      photo.after,
      (row) => `${row.LabelName}\n${boxOf(row)}`,
    );
    const placed = pairRows(labelled.before, labelled.after, boxOf);
    for (const pair of [...labelled.pairs, ...placed.pairs]) tellPair(tally, pair);
    for (const row of placed.before) tellLone(tally, row, ['gone', 'box-gone']);
    for (const row of placed.after) tellLone(tally, row, ['new', 'box-new']);
  }
  return tally.finish();
}

type Pair = readonly [before: Row, after: Row];

interface Pairing {
  readonly pairs: readonly Pair[];
  /** What is left over on either side. */
  readonly before: readonly Row[];
  readonly after: readonly Row[];
}

/** Pairs rows of one photo that have a key in common, in their order. */
function pairRows(
  before: readonly Row[],
  after: readonly Row[],
  keyOf: (row: Row) => string,
): Pairing {
  const waiting = new Map<string, Row[]>();
  for (const row of before.toReversed()) {
    const others = waiting.get(keyOf(row));
    if (others === undefined) waiting.set(keyOf(row), [row]);
    else others.push(row);
  }
  const pairs: Pair[] = [];
  const lone: Row[] = [];
  for (const row of after) {
    const match = waiting.get(keyOf(row))?.pop();
    if (match === undefined) lone.push(row);
    else pairs.push([match, row]);
  }
  const paired = new Set(pairs.map(([row]) => row));
  return { pairs, before: before.filter((row) => !paired.has(row)), after: lone };
}

/** The coordinates by value, however they are spelt. */
function boxOf({ XMin, XMax, YMin, YMax }: Row): string {
  return [XMin, XMax, YMin, YMax]
    .map((text) => {
      const value = Number(text);
      return text.trim() === '' || !Number.isFinite(value) ? text : String(value);
    })
    .join('\n');
}

function tellPair(tally: RowTally<CropChange>, [was, is]: Pair): void {
  const name = nameOf(is);
  if (was.LabelName !== is.LabelName) {
    tally.add('relabelled', relabelling(was, is), name);
  } else if (was.Class !== is.Class) {
    tally.add('other-class', step(was.Class, is.Class), name);
  }
  if (was.Reason === '' && is.Reason === '') {
    if (was.Split !== is.Split) tally.add('other-split', step(was.Split, is.Split), name);
    if (was.Digest !== is.Digest) tally.add('crop-bytes', is.Class, name);
  } else if (was.Reason === '') {
    tally.add('gone', was.Class, nameOf(was));
  } else if (is.Reason === '') {
    tally.add('new', is.Class, name);
  } else if (was.Reason !== is.Reason) {
    tally.add('other-reason', step(was.Reason, is.Reason), name);
  }
}

function tellLone(
  tally: RowTally<CropChange>,
  row: Row,
  [withCrop, without]: readonly [CropChange, CropChange],
): void {
  if (row.Reason === '') tally.add(withCrop, row.Class, nameOf(row));
  else tally.add(without, row.Reason, nameOf(row));
}

function nameOf({ LogicalKey, ImageID, LabelName }: Row): string {
  return LogicalKey === '' ? `${ImageID} ${LabelName}` : LogicalKey;
}

/** Labels by their classes where these tell them apart. */
function relabelling(was: Row, is: Row): string {
  if (was.Class !== is.Class) return step(was.Class, is.Class);
  return step(was.LabelName, is.LabelName);
}

function step(before: string, after: string): string {
  return `${before === '' ? 'none' : before} -> ${after === '' ? 'none' : after}`;
}
