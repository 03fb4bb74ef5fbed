/** Resolving a manifest: every source to a digest, every default to a value. */
import { dirname } from 'node:path';
import { download, type LocalSource, localPath } from '../http/download.ts';
import type { HttpClient } from '../http/http.ts';
import type { Manifest, SourceParams } from '../manifest/manifest.ts';
import type { ManifestSource } from '../manifest/parse.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { toPlainJson } from '../store/canonical-json.ts';
import { digestOf } from '../store/digest.ts';
import { describeLocalFile } from '../store/local-file.ts';
import type { Store } from '../store/store.ts';
import { describeSourceChange, namedSources, parameterDrift, toolchainDrift } from './drift.ts';
import {
  LOCKFILE_VERSION,
  type Lockfile,
  type PinnedSource,
  type PinnedSources,
  type Toolchain,
} from './lockfile.ts';

/** What resolving is given beside what it resolves. */
export interface ResolveContext {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly client: HttpClient;
}

/** What a manifest pins beside its source tables. */
export type Pins = Pick<Lockfile, 'bases' | 'code' | 'environment'>;

/**
 * Pins a manifest's sources by what they hold now. Sources that `previous` already pins are asked
 * for only if their ETag changed.
 * @param further what else is pinned, and the toolchain of the manifest's steps.
 * @throws PkgError `unreachable` for a dead source.
 */
export async function resolveLockfile(
  context: ResolveContext,
  source: ManifestSource,
  further: { readonly toolchain: Toolchain; readonly pins: Pins },
  previous: Lockfile | undefined,
): Promise<Lockfile> {
  const { manifest, text } = source;
  const urls = manifest.data.source;
  return {
    lockfileVersion: LOCKFILE_VERSION,
    name: manifest.name,
    manifest: digestOf(text),
    toolchain: further.toolchain,
    parameters: lockedParameters(manifest),
    ...(urls === undefined
      ? {}
      : { sources: await pinSources(context, urls, dirname(source.file), previous) }),
    ...further.pins,
  };
}

async function pinSources(
  { runtime, store, client }: ResolveContext,
  urls: SourceParams,
  folder: string,
  previous: Lockfile | undefined,
): Promise<PinnedSources> {
  const known = new Map(
    previous === undefined
      ? []
      : [...namedSources(previous.sources).values()].map((pinned) => [pinned.url, pinned]),
  );
  const pin = async (url: string): Promise<PinnedSource> => {
    const { digest, sizeBytes, etag } = await download(
      runtime,
      store,
      client,
      { url, folder },
      known.get(url),
    );
    return { url, digest, sizeBytes, ...(etag === undefined ? {} : { etag }) };
  };
  const pinAll = async (list: readonly string[]): Promise<PinnedSource[]> => {
    const pinned: PinnedSource[] = [];
    for (const url of list) pinned.push(await pin(url));
    return pinned;
  };
  return {
    classes: await pin(urls.classes),
    boxes: await pinAll(urls.boxes),
    images: await pinAll(urls.images),
    ...(urls.hierarchy === undefined ? {} : { hierarchy: await pin(urls.hierarchy) }),
  };
}

/**
 * Why a lockfile does not fit a manifest and a toolchain any more; empty where it does. Local sources
 * are looked at too, remote ones only when they are needed.
 */
export async function findDrift(
  runtime: Runtime,
  store: Store,
  source: ManifestSource,
  toolchain: Toolchain,
  lockfile: Lockfile,
): Promise<readonly string[]> {
  const sources: string[] = [];
  for (const [name, pinned] of namedSources(lockfile.sources)) {
    const path = localPath(pinned.url, dirname(source.file));
    if (path === undefined) continue;
    const found = await describeLocal(runtime, store, path);
    if (found?.digest !== pinned.digest) {
      sources.push(
        found === undefined
          ? `source ${name}: ${pinned.url} is gone`
          : describeSourceChange(name, pinned, found),
      );
    }
  }
  return [
    ...parameterDrift(lockfile.parameters, lockedParameters(source.manifest)),
    ...sources,
    ...toolchainDrift(partOf(lockfile.toolchain, toolchain), toolchain),
  ];
}

/** What a lockfile says of the parts of a toolchain that count; it may name parts that do not. */
function partOf(locked: Toolchain, counted: Toolchain): Toolchain {
  return Object.fromEntries(Object.entries(locked).filter(([name]) => name in counted));
}

/**
 * The pinned bytes of a source on this disk: the store's, or fetched again.
 * @throws PkgError `lockfile` where the source now holds other bytes.
 */
export async function openPinnedSource(
  { runtime, store, client }: ResolveContext,
  folder: string,
  pinned: PinnedSource,
): Promise<LocalSource> {
  if (localPath(pinned.url, folder) === undefined && (await store.has(pinned))) {
    return { ...pinned, path: store.path(pinned.digest), etag: pinned.etag };
  }
  const found = await download(runtime, store, client, { url: pinned.url, folder });
  if (found.digest !== pinned.digest) {
    throw staleError([describeSourceChange('', pinned, found)]);
  }
  return found;
}

/** The error for a lockfile that drifted, with the reasons as one sentence. */
export function staleError(reasons: readonly string[]): PkgError {
  return new PkgError('lockfile', `the lockfile is stale: ${reasons.join('; ')}`, {
    hint: 'Renew it with --update, or put back what changed.',
  });
}

/**
 * The parameters that change a byte of the package, defaults included. Pace, retries and timeouts
 * are left out, and so are sources, which are pinned apart.
 */
export function lockedParameters(
  manifest: Manifest,
  without: readonly string[] = [],
): Lockfile['parameters'] {
  const { data, description, license, model, code, environment, seed } = manifest;
  const { maxBytes, changed, from } = data.fetch;
  const made = {
    source: data.source,
    query: data.query,
    fetch: { maxBytes, changed, from },
    crop: data.crop,
    split: data.split,
  };
  const parameters = {
    description,
    license,
    ...(data.package === undefined ? made : { package: data.package }),
    model,
    code,
    environment,
    seed,
    without: without.length === 0 ? undefined : without,
  };
  return toPlainJson(parameters) as Lockfile['parameters'];
}

async function describeLocal(runtime: Runtime, store: Store, path: string) {
  try {
    return await describeLocalFile(runtime, store, path);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'unreachable') return undefined;
    throw error;
  }
}
