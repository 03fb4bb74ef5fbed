/** The fetch step: a photo, or a tombstone, for each selected image. */
import { type Reach, reachAfterRedirect } from '../http/address.ts';
import type { HttpClient } from '../http/http.ts';
import { type Inspection } from '../images/decode.ts';
import { FORMAT_EXTENSIONS } from '../images/images.ts';
import { readCsv } from '../openimages/csv.ts';
import { type ImageRow, SELECTED_IMAGE_COLUMNS } from '../openimages/openimages.ts';
import { addressing } from '../photos/address.ts';
import {
  askForPhoto,
  inspectStored,
  type PhotoAddress,
  type PhotoAnswer,
  type PhotoSource,
} from '../photos/answer.ts';
import {
  formatImagesTable,
  type ImageFinding,
  type ImagesRow,
  imagesRow,
} from '../photos/photos.ts';
import { decideStatus, type Evidence, findPlaceholders, type Verdict } from '../photos/status.ts';
import { eachLimit, weightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Digest, fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import type { StepInputs, StepOutputs, StepSpec } from './step.ts';

export type FetchStepParams = Extract<StepSpec, { name: 'fetch' }>['params'];

export interface FetchContext {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly client: HttpClient;
  /** The folder that relative table addresses are relative to. */
  readonly folder: string;
  readonly again: boolean;
}

/** Photos that may wait for their turn at once, so that a slow host does not hold up the others. */
const MAX_WAITING = 1024;

/** Local files that are read at once. */
const MAX_OPEN_FILES = 32;

/** How many unreachable photos a message names. */
const MAX_NAMED = 5;

/** Evidence with the address it came from. */
interface Asked {
  readonly evidence: Evidence;
  readonly address: PhotoAddress;
}

/** What is known of one image so far. */
interface Pursuit {
  readonly image: ImageRow;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
}

/**
 * Fetches each image of `inputs.selection` from the first place that has it. Outputs `images`
 * (`images.csv`, the table of what became of each) and `photos` (`images/<ImageID>.<ext>`).
 * @throws PkgError `unreachable` when some photos got no final answer; the others are kept.
 */
export async function fetchImages(
  context: FetchContext,
  params: FetchStepParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const images = await readImages(context, inputs['selection'] ?? []);
  const source: PhotoSource = {
    ...context,
    decoders: weightLimit(context.runtime.concurrency),
    files: weightLimit(MAX_OPEN_FILES),
    maxBytes: params.maxBytes,
  };
  let pursuits: readonly Pursuit[] = [];
  for (const place of params.from) {
    const addressOf = await addressing(params.tables, context.folder, place);
    pursuits = await tryPlace(source, addressOf, images, pursuits);
  }
  const rows = pursuits.map((pursuit) => rowOf(pursuit, params));
  const table = await context.store.putBytes(formatImagesTable(rows));
  return {
    images: [{ path: 'images.csv', ...table }],
    photos: treeOf(rows.flatMap((row) => photoEntry(row))),
  };
}

/** The photo of a row as an entry of a tree; none for a tombstone. */
export function photoEntry(row: ImagesRow): readonly TreeEntry[] {
  if (row.LogicalKey === '') return [];
  const digest = row.Digest as Digest;
  return [{ path: row.LogicalKey, digest, sizeBytes: Number(row.SizeBytes) }];
}

/** The image rows of a selection. */
export async function readImages(
  context: FetchContext,
  selection: Tree,
): Promise<readonly ImageRow[]> {
  const path = context.store.path(entryAt(selection, 'images.csv').digest);
  const bytes = fileBytes(path, context.runtime.signal);
  const images: ImageRow[] = [];
  for await (const row of readCsv(bytes, SELECTED_IMAGE_COLUMNS)) images.push(row);
  return images;
}

/** Asks one place for every image that no place before could give as its metadata promises. */
async function tryPlace(
  source: PhotoSource,
  addressOf: (image: ImageRow) => PhotoAddress,
  images: readonly ImageRow[],
  before: readonly Pursuit[],
): Promise<readonly Pursuit[]> {
  const wanted = images.filter((_, index) => before[index]?.verdict.status !== 'ok');
  const asked = await askAll(source, wanted, addressOf);
  const placeholders = findPlaceholders(
    [...asked.values()].map(({ evidence }) => evidence),
    await redirectDigests(source, asked.values()),
  );
  return images.map((image, index) => {
    const earlier = before[index];
    const evidence = asked.get(image.ImageID)?.evidence;
    if (evidence === undefined) {
      if (earlier === undefined) throw new Error(`image ${image.ImageID} was not asked for`);
      return earlier;
    }
    const found = { image, evidence, verdict: decideStatus(evidence, placeholders) };
    return earlier === undefined || isBetter(found.verdict, earlier.verdict) ? found : earlier;
  });
}

/** A usable photo is better than none, and the promised one better than another. */
function isBetter(found: Verdict, earlier: Verdict): boolean {
  if (found.status === 'ok') return true;
  return found.status === 'changed' && earlier.status !== 'changed';
}

async function askAll(
  source: PhotoSource,
  images: readonly ImageRow[],
  addressOf: (image: ImageRow) => PhotoAddress,
): Promise<ReadonlyMap<string, Asked>> {
  const progress = startProgress(source.runtime, 'fetch', images.length);
  const found = new Map<string, Asked>();
  const failures: PkgError[] = [];
  await eachLimit(images, MAX_WAITING, async (image) => {
    source.runtime.signal.throwIfAborted();
    try {
      const address = addressOf(image);
      const evidence = await gatherEvidence(source, image, address);
      found.set(image.ImageID, { evidence, address });
      const { answer } = evidence;
      progress.advance({ sizeBytes: sizeOf(answer), failed: answer.kind === 'none' });
    } catch (error) {
      if (!(error instanceof PkgError) || error.code !== 'unreachable') throw error;
      progress.advance({ failed: true });
      failures.push(error);
    }
  });
  progress.finish(`${String(found.size)} of ${String(images.length)} images answered for`);
  if (failures.length > 0) throw unreachablePhotos(failures, images.length);
  return found;
}

async function gatherEvidence(
  source: PhotoSource,
  { OriginalMD5: originalMd5, OriginalSize: originalSize }: ImageRow,
  address: PhotoAddress,
): Promise<Evidence> {
  const answer = await askForPhoto(source, address);
  const inspection = answer.kind === 'none' ? undefined : await inspectStored(source, answer);
  return { originalMd5, originalSize, answer, inspection };
}

/** Fetches each distinct unavailable-address once, to know its picture where it comes unannounced. */
async function redirectDigests(
  source: PhotoSource,
  asked: Iterable<Asked>,
): Promise<readonly string[]> {
  const targets = new Map<string, Reach>();
  for (const { evidence, address } of asked) {
    const { answer } = evidence;
    if (answer.kind !== 'none' || answer.status !== 'placeholder') continue;
    const reach = await reachAfterRedirect(
      new URL(address.url),
      address.reach,
      new URL(answer.url),
    );
    targets.set(answer.url, targets.get(answer.url) === 'public' ? 'public' : reach);
  }
  const digests: string[] = [];
  for (const [url, reach] of [...targets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const address = { url, folder: undefined, reach, originalMd5: '' };
    const answer = await askForPhoto(source, address);
    if (answer.kind === 'bytes') digests.push(answer.digest);
  }
  return digests;
}

function rowOf({ image, evidence, verdict }: Pursuit, params: FetchStepParams): ImagesRow {
  const { answer, inspection } = evidence;
  const kept =
    verdict.status === 'ok' || (verdict.status === 'changed' && params.changed === 'keep');
  const finding: ImageFinding = {
    Status: verdict.status,
    LogicalKey: kept ? `images/${image.ImageID}.${extensionOf(inspection)}` : '',
    SizeBytes: answer.kind === 'bytes' ? String(answer.sizeBytes) : '',
    Digest: answer.kind === 'bytes' ? answer.digest : '',
    Format: inspection?.format ?? '',
    WidthPx: String(inspection?.widthPx ?? ''),
    HeightPx: String(inspection?.heightPx ?? ''),
    FinalURL: answer.url,
    HttpStatus: answer.httpStatus === 0 ? '' : String(answer.httpStatus),
    MD5Matches: verdict.md5Matches === undefined ? '' : String(verdict.md5Matches),
    Detail: verdict.detail,
  };
  return imagesRow(image, finding);
}

function extensionOf(inspection: Inspection | undefined): string {
  const format = inspection?.format;
  if (format === undefined || format === null) throw new Error('a kept photo has no format');
  return FORMAT_EXTENSIONS[format];
}

function sizeOf(answer: PhotoAnswer): number {
  return answer.kind === 'bytes' ? answer.sizeBytes : 0;
}

function unreachablePhotos(failures: readonly PkgError[], total: number): PkgError {
  const named = failures
    .map(({ message }) => message)
    .sort()
    .slice(0, MAX_NAMED);
  return new PkgError(
    'unreachable',
    `${String(failures.length)} of ${String(total)} photos got no final answer: ${named.join('; ')}`,
    {
      hint: 'Run the same command again: what has arrived is kept, only the rest is asked for.',
      cause: failures[0],
    },
  );
}
