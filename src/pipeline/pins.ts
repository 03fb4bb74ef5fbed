/** Pins beside the source tables: code at a commit, files of the environment, packages built upon. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pinEnvironment } from '../environment/environment.ts';
import type { GitCredentials } from '../git/credentials.ts';
import { checkWorkTree, type PinnedCode, resolveCode } from '../git/git.ts';
import { readTar } from '../git/read-tar.ts';
import type { OpenedPackage } from '../installation/opened-package.ts';
import type { PinnedBase } from '../lockfile/lockfile.ts';
import type { Pins } from '../lockfile/resolve.ts';
import type { ManifestSource } from '../manifest/parse.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Descriptor } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

/** Opens the package that a reference names, wherever it is. */
export type FindPackage = (reference: string) => Promise<OpenedPackage>;

/** What pinning is given beside the manifest. */
export interface PinContext {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly credentials: GitCredentials;
  readonly findPackage: FindPackage;
}

/** What is done about a work tree with changes that no commit has: refused, or recorded as it is. */
export type DirtyMode = 'refuse' | 'record';

/** A lockfile's place, whose own changes do not count, and what is done about others. */
export interface WorkTreeOptions {
  readonly lockPath: string;
  readonly dirty: DirtyMode;
}

/** Pins all that a manifest names beside its source tables, as it is now. */
export async function pinAll(
  context: PinContext,
  source: ManifestSource,
  { lockPath, dirty }: WorkTreeOptions,
): Promise<Pins> {
  const { manifest, file } = source;
  const bases = await pinBases(context, source);
  const options = { folder: dirname(file), dirty, ignoring: [resolve(lockPath)] };
  const code =
    manifest.code === undefined ? undefined : await resolveCode(context, manifest.code, options);
  const environment = await pinFiles(context, source, code?.tar);
  return {
    ...(bases.length === 0 ? {} : { bases: [...bases] }),
    ...(code === undefined ? {} : { code: { ...code, tar: { ...code.tar } } }),
    ...(environment === undefined ? {} : { environment }),
  };
}

/**
 * Why pins do not fit a manifest any more, a sentence each: something is not pinned yet, a file of the
 * environment was edited, or the work tree has changes that the pinned commit has not.
 */
export async function pinDrift(
  context: PinContext,
  source: ManifestSource,
  pins: Pins,
  { lockPath, dirty }: WorkTreeOptions,
): Promise<readonly string[]> {
  const { code, environment, data, model } = source.manifest;
  const wanted = [
    ['code', code !== undefined, pins.code !== undefined],
    ['environment', environment !== undefined, pins.environment !== undefined],
    ['data.package', data.package !== undefined, hasBase(pins, 'data')],
    ['model.base', model?.base !== undefined, hasBase(pins, 'model')],
  ] as const;
  const unpinned = wanted
    .filter(([, isAsked, isPinned]) => isAsked && !isPinned)
    .map(([key]) => `${key} is not pinned yet`);
  if (unpinned.length > 0) return unpinned;
  return [
    ...(await workTreeDrift(context, source, pins.code, { lockPath, dirty })),
    ...(await environmentDrift(context, source, pins)),
  ];
}

/**
 * A lockfile that pins the work tree as it is now, where that has changes that no commit has and they are to
 * be recorded; else as it was.
 */
export async function recordWorkTree<T extends Pins>(
  context: PinContext,
  source: ManifestSource,
  lockfile: T,
  { lockPath, dirty }: WorkTreeOptions,
): Promise<T> {
  const { code: asked } = source.manifest;
  if (dirty === 'refuse' || asked === undefined || lockfile.code === undefined) return lockfile;
  const options = { folder: dirname(source.file), ignoring: [resolve(lockPath)] };
  const changed = await checkWorkTree(context, asked, options.folder, options.ignoring);
  if (changed.length === 0) return lockfile;
  const code = await resolveCode(context, asked, { ...options, dirty });
  const environment = await pinFiles(context, source, code.tar);
  return { ...lockfile, code, ...(environment === undefined ? {} : { environment }) };
}

function hasBase({ bases = [] }: Pins, use: PinnedBase['use']): boolean {
  return bases.some((base) => base.use === use);
}

/** What the work tree has and the pinned commit has not; a tree that is recorded as it is must still be so. */
async function workTreeDrift(
  context: PinContext,
  { manifest, file }: ManifestSource,
  pinned: PinnedCode | undefined,
  { lockPath, dirty }: WorkTreeOptions,
): Promise<readonly string[]> {
  if (pinned === undefined || manifest.code === undefined) return [];
  const options = { folder: dirname(file), ignoring: [resolve(lockPath)] };
  const changed = await checkWorkTree(context, manifest.code, options.folder, options.ignoring);
  if (pinned.dirty === true) {
    const now = await resolveCode(context, manifest.code, { ...options, dirty: 'record' });
    return now.tar.digest === pinned.tar.digest ? [] : ['code: the work tree changed again'];
  }
  if (changed.length === 0 || dirty === 'record') return [];
  const named = changed.slice(0, MAX_NAMED).join(', ');
  const rest = changed.length - MAX_NAMED;
  return [
    `code: the work tree has changes that commit ${pinned.commit.slice(0, 12)} has not: ${named}` +
      (rest > 0 ? ` and ${String(rest)} more` : '') +
      ' (commit them and use --update, or record them with --allow-dirty)',
  ];
}

/** How many changed files a message names. */
const MAX_NAMED = 5;

/** Files beside the manifest may have been edited; those of pinned code cannot. */
async function environmentDrift(
  context: PinContext,
  source: ManifestSource,
  pins: Pins,
): Promise<readonly string[]> {
  if (pins.environment === undefined || pins.code !== undefined) return [];
  const now = await pinFiles(context, source, undefined);
  const before = pins.environment;
  return (['lockfile', 'dockerfile'] as const)
    .filter((kind) => before[kind]?.digest !== now?.[kind]?.digest)
    .map((kind) => {
      const digest = (of: { digest: string } | undefined) => of?.digest.slice(0, 12) ?? 'absent';
      const path = before[kind]?.path ?? now?.[kind]?.path ?? kind;
      return `environment.${kind}: ${path} was ${digest(before[kind])}, is ${digest(now?.[kind])}`;
    });
}

async function pinFiles(
  { runtime, store }: PinContext,
  { manifest, file }: ManifestSource,
  tar: Descriptor | undefined,
) {
  if (manifest.environment === undefined) return undefined;
  const folder = dirname(file);
  const fromCode = tar === undefined ? undefined : filesOfCode({ runtime, store }, tar);
  return await pinEnvironment(runtime, store, manifest.environment, async (path) =>
    fromCode === undefined ? await readBeside(folder, path) : await fromCode(path),
  );
}

/** Reads single files of a tar; a tree's files of an environment are few and near its root. */
function filesOfCode(context: { runtime: Runtime; store: Store }, tar: Descriptor) {
  return async (path: string): Promise<Buffer | undefined> => {
    const wanted = path.replace(/^\.\//, '');
    for await (const file of readTar(context, tar)) if (file.path === wanted) return file.bytes;
    return undefined;
  };
}

async function readBeside(folder: string, path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(resolve(folder, path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      return undefined;
    }
    throw storageError(error, `cannot read ${resolve(folder, path)}`);
  }
}

async function pinBases(context: PinContext, { manifest }: ManifestSource): Promise<PinnedBase[]> {
  const { data, model } = manifest;
  const bases: PinnedBase[] = [];
  if (data.package !== undefined) {
    const { name, topHash } = await findBase(context, data.package, 'data.package');
    bases.push({ use: 'data', name, topHash });
  }
  if (model?.base !== undefined) {
    const { name, topHash } = await findBase(context, model.base.package, 'model.base.package');
    bases.push({ use: 'model', name, topHash, path: model.base.path });
  }
  return bases;
}

async function findBase(
  { findPackage }: PinContext,
  reference: string,
  key: string,
): Promise<OpenedPackage> {
  try {
    return await findPackage(reference);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'usage') throw error;
    throw new PkgError('manifest', error.message, {
      key,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
