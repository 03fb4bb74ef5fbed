/** The fetch record: what the network answered once, and the same answers again from elsewhere. */
import { readCsv } from '../openimages/csv.ts';
import { addressing } from '../photos/address.ts';
import { askForPhoto, type PhotoAddress } from '../photos/answer.ts';
import { formatImagesTable, IMAGES_COLUMNS, type ImagesRow } from '../photos/photos.ts';
import { eachLimit, weightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Descriptor } from '../store/digest.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import { type FetchContext, type FetchStepParams, photoEntry, readImages } from './fetch.ts';
import type { StepInputs, StepOutputs } from './step.ts';

/** Bytes by their digest from some other place, such as a registry; undefined where it has none. */
export type ByteSource = (descriptor: Descriptor) => Promise<AsyncIterable<Uint8Array> | undefined>;

/**
 * `ImageID: outcome` for each image that is not as its metadata promises; every other image is `ok`
 * with the bytes of its OriginalMD5, so the list pins all bytes.
 */
export type FetchExceptions = Readonly<Record<string, string>>;

/** How many drifted photos a message names. */
const MAX_NAMED = 10;

/** The exceptions of a table of images, in its order. */
export function findExceptions(rows: Iterable<ImagesRow>): FetchExceptions {
  const exceptions = new Map<string, string>();
  for (const row of rows) {
    const outcome = outcomeOf(row);
    if (outcome !== 'ok') exceptions.set(row.ImageID, outcome);
  }
  return Object.fromEntries(exceptions);
}

/** What differs between recorded and present outcomes, a sentence an image. */
export function exceptionDrift(
  recorded: FetchExceptions,
  rows: Iterable<ImagesRow>,
): readonly string[] {
  const outcomes = new Map(Object.entries(recorded));
  const sentences: string[] = [];
  for (const row of rows) {
    const was = outcomes.get(row.ImageID) ?? 'ok';
    const is = outcomeOf(row);
    if (was !== is) sentences.push(`photo ${row.ImageID} was ${was}, is ${is}`);
  }
  return sentences;
}

/** At most ten sentences, and how many more there are. */
export function fewSentences(sentences: readonly string[]): readonly string[] {
  const rest = sentences.length - MAX_NAMED;
  return rest <= 0
    ? sentences
    : [...sentences.slice(0, MAX_NAMED), `and ${String(rest)} photos more`];
}

/** The rows of a stored table of images. */
export async function readImagesTable(
  bytes: AsyncIterable<Uint8Array>,
): Promise<readonly ImagesRow[]> {
  const rows: ImagesRow[] = [];
  for await (const row of readCsv(bytes, IMAGES_COLUMNS)) rows.push(row);
  return rows;
}

/**
 * The outputs of a fetch whose answers are known, for at least the images selected: tombstones are taken as recorded, photos by
 * digest from the store, from `elsewhere`, or from the address they came from.
 * @throws PkgError `lockfile` that names the photos whose recorded bytes are nowhere to be had.
 */
export async function replayFetch(
  context: FetchContext,
  params: FetchStepParams,
  inputs: StepInputs,
  record: readonly ImagesRow[],
  elsewhere: ByteSource,
): Promise<StepOutputs> {
  const selected = new Set<string>();
  for (const { ImageID } of await readImages(context, inputs['selection'] ?? [])) {
    selected.add(ImageID);
  }
  const rows = record.filter(({ ImageID }) => selected.has(ImageID));
  if (rows.length < selected.size) throw unrecorded(selected, rows);
  const table = { path: 'images.csv', ...(await context.store.putBytes(formatImagesTable(rows))) };
  const addresses = await addressesOf(context, params, inputs);
  const places = { addresses, maxBytes: params.maxBytes, elsewhere };
  const photos: Tree = treeOf(rows.flatMap((row) => photoEntry(row)));
  const byKey = new Map(rows.map((row) => [row.LogicalKey, row]));
  const progress = startProgress(context.runtime, 'fetch', photos.length);
  const lost: string[] = [];
  await eachLimit(photos, context.runtime.concurrency * 4, async (photo) => {
    const row = byKey.get(photo.path);
    if (row === undefined) throw new Error(`no row for ${photo.path}`);
    const problem = await obtain(context, photo, row, places);
    if (problem !== undefined) lost.push(problem);
    progress.advance({ sizeBytes: photo.sizeBytes, failed: problem !== undefined });
  });
  progress.finish(`${String(photos.length - lost.length)} recorded photos`);
  if (lost.length > 0) throw driftedPhotos(lost.sort());
  return { images: [table], photos };
}

/** The error for a record that lacks some of the selected images. */
function unrecorded(selected: ReadonlySet<string>, rows: readonly ImagesRow[]): PkgError {
  const recorded = new Set(rows.map(({ ImageID }) => ImageID));
  const missing = [...selected].filter((imageId) => !recorded.has(imageId));
  return new PkgError(
    'lockfile',
    `the lockfile records no answer for ${fewSentences(missing).join(', ')}`,
    { hint: 'It is of another selection; record anew with: pkg lock --update' },
  );
}

/** The error that names photos whose answers differ from the record. */
export function driftedPhotos(sentences: readonly string[]): PkgError {
  return new PkgError(
    'lockfile',
    `photos drifted since the lockfile recorded them: ${fewSentences(sentences).join('; ')}`,
    {
      hint:
        'Name a registry that holds the package (--registry) to get the recorded bytes, ' +
        'or take what the network answers now with --update.',
    },
  );
}

/** The table of images of a fetch's outputs. */
export function imagesTableOf(outputs: StepOutputs): TreeEntry {
  return entryAt(outputs['images'] ?? [], 'images.csv');
}

async function obtain(
  context: FetchContext,
  photo: TreeEntry,
  row: ImagesRow,
  { addresses, maxBytes, elsewhere }: Places,
): Promise<string | undefined> {
  if (await context.store.has(photo)) return undefined;
  const bytes = await elsewhere(photo);
  if (bytes !== undefined && (await context.store.put(bytes)).digest === photo.digest) {
    return undefined;
  }
  try {
    return await askAgain(context, photo, row, addresses(row.ImageID), maxBytes);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'unreachable') throw error;
    return `photo ${row.ImageID} was ${outcomeOf(row)}, is unreachable`;
  }
}

async function askAgain(
  context: FetchContext,
  photo: TreeEntry,
  row: ImagesRow,
  addresses: readonly PhotoAddress[],
  maxBytes: number,
): Promise<string | undefined> {
  const source = { ...context, decoders: weightLimit(1), files: weightLimit(1), maxBytes };
  let is = 'not in any place';
  for (const address of addresses) {
    const answer = await askForPhoto(source, address);
    if (answer.kind === 'bytes' && answer.digest === photo.digest) return undefined;
    is = answer.kind === 'bytes' ? 'another photo' : `${answer.status} (${answer.detail})`;
  }
  return `photo ${row.ImageID} was ${outcomeOf(row)}, is ${is}`;
}

/** Where a recorded photo's bytes may be. */
interface Places {
  readonly addresses: AddressesOf;
  readonly maxBytes: number;
  readonly elsewhere: ByteSource;
}

type AddressesOf = (imageId: string) => readonly PhotoAddress[];

/** The addresses of each image at all places, in the manifest's order. */
async function addressesOf(
  context: FetchContext,
  params: FetchStepParams,
  inputs: StepInputs,
): Promise<AddressesOf> {
  const images = await readImages(context, inputs['selection'] ?? []);
  const byId = new Map(images.map((image) => [image.ImageID, image]));
  const places = await Promise.all(
    params.from.map((place) => addressing(params.tables, context.folder, place)),
  );
  return (imageId) => {
    const image = byId.get(imageId);
    return image === undefined ? [] : places.map((addressOf) => addressOf(image));
  };
}

/** `ok` where the metadata's own MD5 pins the bytes, else the status with the digest of what came. */
function outcomeOf(row: ImagesRow): string {
  if (row.Status === 'ok' && row.MD5Matches === 'true') return 'ok';
  return row.Digest === '' ? row.Status : `${row.Status} ${row.Digest}`;
}
