/** The crop step: a picture for each selected box of each usable photo. */
import { type BoundingBox, cropRectangle, type Rectangle } from '../images/crop.ts';
import { MAX_DECODED_BYTES } from '../images/images.ts';
import type { Look } from '../images/perceptual-hash.ts';
import { formatCsv, readCsv } from '../openimages/csv.ts';
import { type BoxRow, SELECTED_BOX_COLUMNS } from '../openimages/openimages.ts';
import { type ImagesRow, statusOf } from '../photos/photos.ts';
import { mapLimit, type WeightLimit, weightLimit } from '../runtime/concurrency.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Descriptor, digestOf, fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import { type CropReason, type CropsRow, classFolders, formatCropsTable } from './crops-table.ts';
import { readImagesTable } from './fetch-record.ts';
import { cutPhoto, photosAtOnce } from './photo-crops.ts';
import type { StepInputs, StepOutputs, StepSpec } from './step.ts';

type CropStepParams = Extract<StepSpec, { name: 'crop' }>['params'];

const EXTENSIONS = { jpeg: 'jpg', png: 'png', webp: 'webp' } as const;

/** Hex digits of a box's digest in a file name: enough to tell the boxes of one image apart. */
const BOX_DIGEST_DIGITS = 12;

export const LOOKS_COLUMNS = ['ImageID', 'Digest', 'Hash', 'Colours'] as const;

/** A box with what is to be cut for it, if anything. */
interface Task {
  readonly box: BoxRow;
  readonly reason: CropReason;
  readonly rectangle: Rectangle | undefined;
}

interface PhotoResult {
  readonly rows: readonly CropsRow[];
  readonly crops: readonly TreeEntry[];
  readonly look: readonly { readonly row: ImagesRow; readonly look: Look }[];
}

/**
 * Cuts the boxes of `inputs.selection` out of `inputs.photos`, one decode a photo. Outputs `crops`
 * (`images_cropped/<Class>/<ImageID>_<box digest>.<ext>`) and `tables`: `crops.csv`, its splits still
 * empty, and `looks.csv`, what each photo looks like.
 */
export async function cropBoxes(
  runtime: Runtime,
  store: Store,
  params: CropStepParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const images = await readImagesTable(
    readEntry(runtime, store, entryAt(inputs['images'] ?? [], 'images.csv')),
  );
  const boxes = await boxesByImage(runtime, store, inputs['selection'] ?? []);
  const progress = startProgress(runtime, 'crop', images.length);
  const memory = weightLimit(MAX_DECODED_BYTES);
  const folders = classFolders([...boxes.values()].flat().map((box) => box.Class));
  const results: PhotoResult[] = [];
  const work = mapLimit(images, photosAtOnce(runtime.concurrency), async (row) => {
    const context = { store, params, folders, memory };
    const result = await cropPhoto(context, row, boxes.get(row.ImageID) ?? []);
    progress.advance({ sizeBytes: result.crops.reduce((sum, crop) => sum + crop.sizeBytes, 0) });
    return result;
  });
  for await (const result of work) {
    runtime.signal.throwIfAborted();
    results.push(result);
  }
  const known = new Set(images.map(({ ImageID }) => ImageID));
  const orphans = [...boxes].filter(([imageId]) => !known.has(imageId)).flatMap(([, rows]) => rows);
  const rows = [
    ...results.flatMap((result) => result.rows),
    ...orphans.map((box) => rowOf({ box, reason: 'orphan', rectangle: undefined }, '', undefined)),
  ].sort((a, b) => (a.ImageID < b.ImageID ? -1 : a.ImageID > b.ImageID ? 1 : 0));
  const crops = treeOf(results.flatMap((result) => result.crops));
  progress.finish(`${String(crops.length)} crops for ${String(rows.length)} boxes`);
  return { crops, tables: await storeTables(store, rows, results) };
}

async function storeTables(
  store: Store,
  rows: readonly CropsRow[],
  results: readonly PhotoResult[],
): Promise<Tree> {
  const looks = results
    .flatMap((result) => result.look)
    .map(({ row, look }) => ({
      ImageID: row.ImageID,
      Digest: row.Digest,
      Hash: look.hash,
      Colours: look.colours,
    }));
  return treeOf([
    { path: 'crops.csv', ...(await store.putBytes(formatCropsTable(rows))) },
    { path: 'looks.csv', ...(await store.putBytes(formatCsv(LOOKS_COLUMNS, looks))) },
  ]);
}

/** Boxes in their order, grouped by image; orphans under ImageIDs that no image has. */
async function boxesByImage(
  runtime: Runtime,
  store: Store,
  selection: Tree,
): Promise<ReadonlyMap<string, readonly BoxRow[]>> {
  const groups = new Map<string, BoxRow[]>();
  const bytes = readEntry(runtime, store, entryAt(selection, 'boxes.csv'));
  for await (const row of readCsv(bytes, SELECTED_BOX_COLUMNS)) {
    const box = row as BoxRow;
    const group = groups.get(box.ImageID);
    if (group === undefined) groups.set(box.ImageID, [box]);
    else group.push(box);
  }
  return groups;
}

function readEntry(runtime: Runtime, store: Store, entry: TreeEntry): AsyncIterable<Uint8Array> {
  return fileBytes(store.path(entry.digest), runtime.signal);
}

interface CropContext {
  readonly store: Store;
  readonly params: CropStepParams;
  readonly folders: ReadonlyMap<string, string>;
  readonly memory: WeightLimit;
}

async function cropPhoto(
  context: CropContext,
  row: ImagesRow,
  boxes: readonly BoxRow[],
): Promise<PhotoResult> {
  const tasks = boxes.map((box) => planBox(context.params, row, box));
  const wanted = tasks.flatMap(({ rectangle, reason }) =>
    reason === '' && rectangle !== undefined ? [rectangle] : [],
  );
  if (row.LogicalKey === '' || boxes.length === 0) {
    return {
      rows: tasks.map((task) => rowOf(task, rotationOf(row), undefined)),
      crops: [],
      look: [],
    };
  }
  const cut = await cutPhoto(context.store, context.memory, context.params, row, wanted);
  if (cut === undefined) {
    const lost = tasks.map((task) => ({ ...task, reason: task.reason || ('corrupt' as const) }));
    return {
      rows: lost.map((task) => rowOf(task, rotationOf(row), undefined)),
      crops: [],
      look: [],
    };
  }
  const rows: CropsRow[] = [];
  const crops: TreeEntry[] = [];
  let next = 0;
  for (const task of tasks) {
    const crop = task.reason === '' ? cut.crops[next++] : undefined;
    const entry = crop === undefined ? undefined : cropEntry(context, task.box, crop);
    rows.push(rowOf(task, rotationOf(row), entry));
    if (entry !== undefined) crops.push(entry);
  }
  return { rows, crops, look: [{ row, look: cut.look }] };
}

/** An unknown rotation counts as none, as the crop does. */
function rotationOf(row: ImagesRow): string {
  return row.Rotation === '' ? '0.0' : row.Rotation;
}

function planBox(params: CropStepParams, row: ImagesRow, box: BoxRow): Task {
  const fault = box.Fault;
  const status = statusOf(row);
  const unusable = row.LogicalKey === '' ? (status === 'ok' ? 'missing' : status) : '';
  if (fault === 'invalid-box' || fault === 'orphan' || row.WidthPx === '') {
    return { box, reason: fault || unusable, rectangle: undefined };
  }
  const rectangleAt = (padding: number) =>
    cropRectangle(parseBox(box), Number(row.WidthPx), Number(row.HeightPx), padding);
  const tight = rectangleAt(0);
  const tooSmall = Math.min(tight.widthPx, tight.heightPx) < params.minSidePx ? 'too-small' : '';
  return {
    box,
    reason: fault || unusable || tooSmall,
    rectangle: rectangleAt(params.paddingFraction),
  };
}

function parseBox(box: BoxRow): BoundingBox {
  return {
    xMin: Number(box.XMin),
    xMax: Number(box.XMax),
    yMin: Number(box.YMin),
    yMax: Number(box.YMax),
  };
}

function cropEntry({ folders, params }: CropContext, box: BoxRow, crop: Descriptor): TreeEntry {
  const boxDigest = digestOf([box.LabelName, box.XMin, box.XMax, box.YMin, box.YMax].join(' '));
  const name = `${box.ImageID}_${boxDigest.slice(0, BOX_DIGEST_DIGITS)}.${EXTENSIONS[params.format]}`;
  const folder = folders.get(box.Class);
  if (folder === undefined) throw new Error(`no folder for ${box.Class}`);
  return { path: `images_cropped/${folder}/${name}`, ...crop };
}

function rowOf(task: Task, rotation: string, entry: TreeEntry | undefined): CropsRow {
  const { box, rectangle, reason } = task;
  return {
    ...box,
    LogicalKey: entry?.path ?? '',
    LeftPx: String(rectangle?.leftPx ?? ''),
    TopPx: String(rectangle?.topPx ?? ''),
    WidthPx: String(rectangle?.widthPx ?? ''),
    HeightPx: String(rectangle?.heightPx ?? ''),
    Rotation: rotation,
    Split: '',
    Digest: entry?.digest ?? '',
    Reason: reason,
  };
}
