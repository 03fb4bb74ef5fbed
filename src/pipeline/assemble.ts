/** From the outputs of a run to a package. */
import type { Manifest } from '../manifest/manifest.ts';
import type { Entry } from '../package/entry.ts';
import type { JsonObject, JsonValue } from '../package/lossless-json.ts';
import { chunkedFromDigest, describeContent } from '../package/object-hash.ts';
import { fileEntry, type Package, packageOf } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { digestOf, fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import { findOutput, outputOf, type Run } from './run.ts';

/** The version of what a package holds and where; part of its header, so of its top hash. */
const PACKAGE_FORMAT = 1n;

/** Texts that go into a package beside the outputs of steps. */
export interface PackageTexts {
  readonly manifest: string;
  readonly lockfile: string;
}

/** The files of a package under their logical keys. */
export async function collectFiles(store: Store, run: Run, texts: PackageTexts): Promise<Tree> {
  const selection = outputOf(run, 'query', 'selection');
  const table = (tree: Tree, path: string): TreeEntry => ({
    ...entryAt(tree, path),
    path: `metadata/${path}`,
  });
  return treeOf([
    ...outputOf(run, 'fetch', 'photos'),
    ...outputOf(run, 'crop', 'crops'),
    ...findOutput(run, 'train', 'model'),
    ...findOutput(run, 'evaluate', 'evaluation'),
    ...outputOf(run, 'summarize', 'summaries'),
    table(selection, 'classes.csv'),
    table(selection, 'boxes.csv'),
    table(outputOf(run, 'fetch', 'images'), 'images.csv'),
    table(outputOf(run, 'split', 'crops'), 'crops.csv'),
    { path: 'manifest.yaml', ...(await store.putBytes(texts.manifest)) },
    { path: 'manifest.lock.json', ...(await store.putBytes(texts.lockfile)) },
  ]);
}

/** Below here stand the classifier and what is said of it. */
const MODELS = 'models/';

/** Below here stands what a classifier is trained on. */
const DATA = ['images/', 'images_cropped/', 'metadata/'];

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
  const data = entries.filter(({ logicalKey }) =>
    DATA.some((folder) => logicalKey.startsWith(folder)),
  );
  const further = new Map([['data', topHash(packageOf(header, data))]]);
  return packageOf(header, [...entries, ...(await entriesOf(runtime, store, models, further))]);
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
