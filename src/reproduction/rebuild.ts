/** A published package built again in a store of its own, from what it holds. */

import { resolveCode } from '../git/git.ts';
import { download, localPath } from '../http/download.ts';
import type { HttpClient } from '../http/http.ts';
import { entryTree, keepEntries } from '../installation/kept-entries.ts';
import { namedSources } from '../lockfile/drift.ts';
import type { PinnedSource } from '../lockfile/lockfile.ts';
import type { Entry } from '../package/entry.ts';
import { isData } from '../pipeline/assemble.ts';
import { codeTree, type GivenTrees } from '../pipeline/given.ts';
import { createSourceClient, type PipelineContext } from '../pipeline/lock.ts';
import { type Made, makePackage, type Scope } from '../pipeline/make.ts';
import { planData } from '../pipeline/plan.ts';
import { identify } from '../pipeline/run.ts';
import { sourceTree } from '../pipeline/sources.ts';
import { rememberOutputs, stepKey } from '../pipeline/step-cache.ts';
import { PkgError } from '../runtime/errors.ts';
import { BASE_FILES, BASE_FOLDER } from '../steps/base.ts';
import { dataOfPackage, recordedSelection } from '../steps/dataset.ts';
import { type FetchStepParams, fetchImages } from '../steps/fetch.ts';
import {
  exceptionDrift,
  findExceptions,
  imagesTableOf,
  readImagesTable,
} from '../steps/fetch-record.ts';
import { fileBytes, streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type Tree, treeOf } from '../store/tree.ts';
import type { Published } from './published.ts';
import type { Recorded } from './step-verdicts.ts';

export interface RebuildOptions {
  readonly scope: Scope;
  /** Where photos, tables and code come from: the package, or the addresses they first came from. */
  readonly from: 'package' | 'source';
  /** Whether source tables may be asked for over the network. */
  readonly network: 'online' | 'offline';
  readonly code: 'refuse' | 'run';
}

export interface Rebuilt extends Made {
  /** Steps that were not run again, and why. */
  readonly recorded: Recorded;
  /** What of the sources is not any more what it was, a sentence each; none where they were not asked. */
  readonly sources: readonly string[];
}

/** What is asked of a source while a package is rebuilt: once more where it fails, and no more. */
const RETRIES = 1;

/**
 * Builds a package again.
 * @param context with a store of its own, in which nothing of the package is yet.
 * @param known the user's store, in which source tables may be.
 * @throws PkgError `integrity` where something that is needed is not what the package says, and as a build.
 */
export async function rebuild(
  context: PipelineContext,
  known: Store,
  published: Published,
  options: RebuildOptions,
): Promise<Rebuilt> {
  const client = createSourceClient(context, withFewRetries(published));
  try {
    const { source, lockfile, without } = published;
    const { trees, data } = await takeFromPackage(context, published);
    const tables = await findTables({ ...context, client }, known, published, options.network);
    const recorded =
      tables.length === 0 ? {} : await takeSelection(context, published, data, tables);
    const sources =
      options.from === 'source'
        ? [...tables, ...(await askSources({ ...context, client }, published, data))]
        : [];
    const made = await makePackage(
      context,
      client,
      {
        ...{ source, lockfile, without, ...trees },
        recorded: published.steps.filter(({ name }) => name in recorded),
      },
      {
        ...{ refetch: false, elsewhere: () => Promise.resolve(undefined) },
        ...{ code: options.code, scope: options.scope },
      },
    );
    return { ...made, recorded, sources };
  } finally {
    await client.close();
  }
}

function withFewRetries({ source: { manifest } }: Published) {
  const { data } = manifest;
  return { ...manifest, data: { ...data, fetch: { ...data.fetch, retries: RETRIES } } };
}

/** Brings what a rebuild takes as it is into the store: photos, tables of the selection, code, environment, base. */
async function takeFromPackage(
  { runtime, store }: PipelineContext,
  { opened, lockfile, source }: Published,
): Promise<{ readonly trees: GivenTrees; readonly data: Tree }> {
  const entries = [...opened.pkg.entries];
  const builtUpon = source.manifest.data.package !== undefined;
  const isTaken = ({ logicalKey }: Entry) =>
    /^(?:images|metadata|code|environment)\//.test(logicalKey) ||
    logicalKey.startsWith(BASE_FOLDER) ||
    (builtUpon && isData(logicalKey));
  const files = await keepEntries(runtime, store, opened, entries.filter(isTaken));
  const data = dataOfPackage(entryTree(entries.filter(({ logicalKey }) => isData(logicalKey))));
  const { sources, code } = lockfile;
  const base = BASE_FILES.flatMap((path) =>
    files
      .filter((file) => file.path === `${BASE_FOLDER}${path}`)
      .map((file) => ({ ...file, path })),
  );
  return {
    data,
    trees: {
      given: {
        ...(sources === undefined ? {} : { sources: sourceTree(sources) }),
        ...(builtUpon ? { data } : {}),
        ...(base.length === 0 ? {} : { base: treeOf(base) }),
        ...(code === undefined ? {} : { code: codeTree(code.tar) }),
      },
      openData: () => Promise.resolve(),
    },
  };
}

interface AskingContext extends PipelineContext {
  readonly client: HttpClient;
}

/** Brings the source tables into the store; a sentence for each that cannot be had as it was. */
async function findTables(
  context: AskingContext,
  known: Store,
  { lockfile }: Published,
  network: RebuildOptions['network'],
): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const [name, pinned] of namedSources(lockfile.sources)) {
    const why = await findTable(context, known, pinned, network);
    if (why !== undefined) sentences.push(`source ${name}: ${pinned.url} ${why}`);
  }
  return sentences;
}

async function findTable(
  { runtime, store, client }: AskingContext,
  known: Store,
  pinned: PinnedSource,
  network: RebuildOptions['network'],
): Promise<string | undefined> {
  const { url, digest } = pinned;
  if (await known.has(pinned)) {
    const copy = await store.put(fileBytes(known.path(digest), runtime.signal));
    if (copy.digest === digest) return undefined;
  }
  if (localPath(url, '.') !== undefined) return 'is a file of whoever built the package';
  if (network === 'offline') return 'is not in the store, and was not asked for';
  try {
    const found = await download(runtime, store, client, { url, folder: '.' });
    return found.digest === digest
      ? undefined
      : `has other bytes now (${found.digest.slice(0, 12)})`;
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'unreachable') throw error;
    return `cannot be had any more (${error.message})`;
  }
}

/** Takes the selection that the package records for the output of its query, which cannot be run again. */
async function takeSelection(
  { store }: PipelineContext,
  { source: { manifest }, without, lockfile: { sources } }: Published,
  data: Tree,
  tables: readonly string[],
): Promise<Recorded> {
  if (sources === undefined) return {};
  const selection = recordedSelection(data);
  const why = `its output was taken as the package records it, since ${tables.join('; ')}`;
  const recorded = new Map<string, string>();
  for (const planned of planData(manifest, without).steps) {
    const { name } = planned.spec;
    if (name !== 'query' && name !== 'exclude') continue;
    const inputs = name === 'query' ? { sources: sourceTree(sources) } : { selection };
    const key = stepKey(identify(planned, inputs, undefined));
    await rememberOutputs(store, key, { selection });
    recorded.set(name, why);
  }
  return Object.fromEntries(recorded);
}

/** Asks the addresses that photos and code came from; a sentence for each that is not what it was. */
async function askSources(
  context: AskingContext,
  published: Published,
  data: Tree,
): Promise<readonly string[]> {
  return [...(await askPhotos(context, published, data)), ...(await askCode(context, published))];
}

async function askPhotos(
  context: AskingContext,
  { source: { manifest }, without, images }: Published,
  data: Tree,
): Promise<readonly string[]> {
  const planned = planData(manifest, without).steps.find(({ spec }) => spec.name === 'fetch');
  if (planned?.spec.name !== 'fetch') return [];
  const params: FetchStepParams = planned.spec.params;
  const fetching = { ...context, folder: '.', again: true };
  try {
    const outputs = await fetchImages(fetching, params, { selection: recordedSelection(data) });
    const table = await context.store.read(imagesTableOf(outputs).digest);
    return exceptionDrift(findExceptions(images), await readImagesTable(streamOf(table)));
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'unreachable') throw error;
    return [error.message];
  }
}

async function askCode(
  context: AskingContext,
  { lockfile: { code } }: Published,
): Promise<readonly string[]> {
  if (code === undefined) return [];
  const { repository, commit, tar, dirty } = code;
  if (dirty === true) return [`code: ${repository} was changed since commit ${commit}`];
  if (!/^https?:/i.test(repository)) return [`code: ${repository} is of whoever built the package`];
  try {
    const asked = { repository, revision: commit };
    const found = await resolveCode(context, asked, { folder: '.', dirty: 'refuse', ignoring: [] });
    return found.tar.digest === tar.digest ? [] : [`code: commit ${commit} holds other files now`];
  } catch (error) {
    const isGone = error instanceof PkgError && ['unreachable', 'not-found'].includes(error.code);
    if (!isGone) throw error;
    return [`code: ${error.message}`];
  }
}
