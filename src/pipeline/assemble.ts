/** From the outputs of a run to a package. */
import type { Manifest } from '../manifest/manifest.ts';
import type { Entry } from '../package/entry.ts';
import type { JsonObject, JsonValue } from '../package/lossless-json.ts';
import { chunkedFromDigest, describeContent } from '../package/object-hash.ts';
import { fileEntry, type Package, packageOf } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { selectionFiles } from '../steps/dataset.ts';
import { digestOf, fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import type { DataPlan } from './plan.ts';
import { findOutput, outputOf, type Run } from './run.ts';

/** The version of what a package holds and where; part of its header, so of its top hash. */
const PACKAGE_FORMAT = 1n;

/** What goes into a package beside the outputs of steps. */
export interface Further {
  readonly manifest: string;
  readonly lockfile: string;
  /** Code and files of the environment under their logical keys. */
  readonly files: Tree;
}

/** The files of a package's data set under their logical keys. */
export function dataFiles({ refs }: DataPlan, run: Run): Tree {
  const table = (tree: Tree, path: string): TreeEntry => ({
    ...entryAt(tree, path),
    path: `metadata/${path}`,
  });
  return treeOf([
    ...outputOf(run, refs.photos),
    ...outputOf(run, refs.crops),
    ...selectionFiles(outputOf(run, refs.selection)),
    table(outputOf(run, refs.images), 'images.csv'),
    table(outputOf(run, refs.table), 'crops.csv'),
  ]);
}

/** The files of a package under their logical keys. */
export async function collectFiles(
  store: Store,
  plan: DataPlan,
  run: Run,
  further: Further,
): Promise<Tree> {
  return treeOf([
    ...dataFiles(plan, run),
    ...findOutput(run, 'train', 'model'),
    ...findOutput(run, 'evaluate', 'evaluation'),
    ...outputOf(run, { step: 'summarize', output: 'summaries' }),
    ...further.files,
    { path: 'manifest.yaml', ...(await store.putBytes(further.manifest)) },
    { path: 'manifest.lock.json', ...(await store.putBytes(further.lockfile)) },
  ]);
}

/** Where the statement of how a package was made stands in it. */
export const PROVENANCE = 'provenance.json';

/** Below here stand the classifier and what is said of it. */
const MODELS = 'models/';

/** Below here stands what a classifier is trained on. */
const DATA = ['images/', 'images_cropped/', 'metadata/'];

/** Whether an entry is of a package's data set, and not of what was made of it. */
export function isData(logicalKey: string): boolean {
  return DATA.some((folder) => logicalKey.startsWith(folder));
}

/**
 * A package of files in the store; its entries' physical keys point there. Entries below `models/` state
 * the top hash of the data they were made of: that of a package of nothing but the data.
 */
export async function assemblePackage(
  runtime: Runtime,
  store: Store,
  files: Tree,
  header: JsonObject,
): Promise<Package> {
  const isModel = ({ path }: TreeEntry) => path.startsWith(MODELS);
  const entries = await entriesOf(
    runtime,
    store,
    files.filter((file) => !isModel(file)),
  );
  const models = files.filter(isModel);
  if (models.length === 0) return packageOf(header, entries);
  const data = entries.filter(({ logicalKey }) => isData(logicalKey));
  const further = new Map([['data', topHash(packageOf(header, data))]]);
  return packageOf(header, [...entries, ...(await entriesOf(runtime, store, models, further))]);
}

/** A package with one more file, which is neither data nor of a model. */
export async function addFile(
  runtime: Runtime,
  store: Store,
  { header, entries }: Package,
  file: TreeEntry,
): Promise<Package> {
  return packageOf(header, [...entries, await entryOf(runtime, store, file, new Map())]);
}

async function entriesOf(
  runtime: Runtime,
  store: Store,
  files: Tree,
  further: JsonObject = new Map(),
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const work = mapLimit(files, runtime.concurrency, (file) =>
    entryOf(runtime, store, file, further),
  );
  for await (const entry of work) entries.push(entry);
  return entries;
}

/** The header of a built package: the manifest's words about it, and nothing of the moment. */
export function headerOf({ description, license }: Manifest): JsonObject {
  const about = new Map<string, JsonValue>([['pkg', new Map([['format', PACKAGE_FORMAT]])]]);
  if (description !== undefined) about.set('description', description);
  if (license !== undefined) about.set('license', license);
  return new Map<string, JsonValue>([
    ['version', 'v0'],
    ['user_meta', about],
    ['message', description ?? null],
  ]);
}

async function entryOf(
  runtime: Runtime,
  store: Store,
  file: TreeEntry,
  further: JsonObject,
): Promise<Entry> {
  const { path, digest, sizeBytes } = file;
  const chunkedHash =
    chunkedFromDigest(digest, sizeBytes) ?? (await largeHash(runtime, store, file));
  return fileEntry(path, store.path(digest), { digest, sizeBytes, chunkedHash }, further);
}

/** For a large file the hash has to be computed from its bytes; it is remembered by its digest. */
async function largeHash(
  runtime: Runtime,
  store: Store,
  { digest, sizeBytes }: TreeEntry,
): Promise<string> {
  const key = digestOf(`sha2-256-chunked ${digest}`);
  const known = await store.findRecord('hashes', key);
  if (typeof known === 'string') return known;
  const found = await describeContent(fileBytes(store.path(digest), runtime.signal), sizeBytes);
  if (found.digest !== digest) throw await store.removeDamaged(digest);
  await store.writeRecord('hashes', key, found.chunkedHash);
  return found.chunkedHash;
}
