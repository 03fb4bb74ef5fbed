/** Finding a model: in a registry, a store or a folder, its bytes checked against what its package says. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  entryUnder,
  findInstalled,
  type OpenedPackage,
  openRevision,
} from '../installation/opened-package.ts';
import type { Model } from '../models/models.ts';
import type { Entry } from '../package/entry.ts';
import { type Package, statedDigest, type TopHash } from '../package/package.ts';
import type { Reference } from '../registry/reference.ts';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { fileBytes, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { parseRunnable } from './runnable.ts';

/** A model with where it came from. */
export interface FoundModel {
  readonly model: Model;
  readonly origin: ModelOrigin;
}

export interface ModelOrigin {
  /** Of `model.json`, for messages. */
  readonly where: string;
  /** Of the package it is part of, whose digests its bytes were checked against. */
  readonly name?: string;
  readonly topHash?: TopHash;
  /** Where it was read: one of both, unless out of a store. */
  readonly folder?: string;
  readonly registry?: string;
}

/** A package with its name and top hash, as builds and registries have them. */
type NamedPackage = Pick<OpenedPackage, 'name' | 'topHash' | 'pkg'>;

interface ModelFiles {
  readonly json: Uint8Array;
  readonly weights: Uint8Array;
}

const FOLDER = 'models';
const JSON_FILE = 'model.json';
const WEIGHTS_FILE = 'weights.bin';

/** What either file may have; the engine's memory is 4 GiB. */
const MAX_FILE_BYTES = 2 ** 31;

/**
 * The model of a revision, read straight out of the registry; nothing is written to disk.
 * @throws PkgError `not-found` where there is no such revision or no model in it, `integrity` where
 * its bytes are others or no model, `usage` where pkg does not run such a model.
 */
export async function readRegistryModel(
  runtime: Runtime,
  registry: Storage,
  reference: Reference,
): Promise<FoundModel> {
  const opened = await openRevision(runtime, registry, reference);
  return await readPackagedModel(opened, { registry: registry.url });
}

/** The model of a package that was built into a store; throws as `readRegistryModel` does. */
export async function readBuiltModel(store: Store, built: NamedPackage): Promise<FoundModel> {
  const read = async (entry: Entry) => {
    const digest = statedDigest(entry);
    if (digest !== undefined && isDigest(digest)) return await store.read(digest);
    throw new PkgError('integrity', `${built.name} does not say where its ${entry.logicalKey} is`);
  };
  return await readPackagedModel({ ...built, read }, {});
}

/**
 * The model in a folder: an installed package's, or `models/` in one, checked against the package; or
 * any `model.json` beside its `weights.bin`, there or in `models/`.
 * @throws PkgError as `readRegistryModel`; `integrity` too where installed files were changed.
 */
export async function readFolderModel(runtime: Runtime, folder: string): Promise<FoundModel> {
  const above = basename(resolve(folder)) === FOLDER ? dirname(resolve(folder)) : undefined;
  for (const root of [folder, above]) {
    const opened = root === undefined ? undefined : await findInstalled(root);
    if (opened !== undefined) return await readPackagedModel(opened, { folder });
  }
  for (const place of [join(folder, FOLDER), folder]) {
    const where = join(place, JSON_FILE);
    const json = await readWithin(runtime, where);
    const weights = await readWithin(runtime, join(place, WEIGHTS_FILE));
    if (json === undefined || weights === undefined) continue;
    return foundModel({ json, weights }, { where, folder });
  }
  throw noModel(folder);
}

async function readPackagedModel(
  { name, topHash, pkg, read }: Pick<OpenedPackage, 'name' | 'topHash' | 'pkg' | 'read'>,
  place: Pick<ModelOrigin, 'folder' | 'registry'>,
): Promise<FoundModel> {
  const [jsonKey, weightsKey] = [`${FOLDER}/${JSON_FILE}`, `${FOLDER}/${WEIGHTS_FILE}`];
  const json = findEntry(pkg, jsonKey);
  const weights = findEntry(pkg, weightsKey);
  if (json === undefined || weights === undefined) throw noModel(`${name}@${topHash}`);
  const files = { json: await read(json), weights: await read(weights) };
  return foundModel(files, { where: `${name}/${jsonKey}`, name, topHash, ...place });
}

function findEntry(pkg: Package, key: string): Entry | undefined {
  const entry = entryUnder(pkg, key);
  if (entry !== undefined && entry.sizeBytes > MAX_FILE_BYTES) throw tooLarge(key);
  return entry;
}

function foundModel({ json, weights }: ModelFiles, origin: ModelOrigin): FoundModel {
  const text = Buffer.from(json).toString('utf8');
  return { model: parseRunnable(text, weights, origin.where), origin };
}

/** A file's bytes; undefined where there is none. */
async function readWithin({ signal }: Runtime, path: string): Promise<Uint8Array | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new PkgError('not-found', `${path} is not a file`);
    if (found.size > MAX_FILE_BYTES) throw tooLarge(path);
    return await collect(fileBytes(path, signal, { start: 0, end: found.size }));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof PkgError || signal.aborted || code === undefined) throw error;
    throw new PkgError('storage', `cannot read ${path} (${code})`, { cause: error });
  }
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function noModel(what: string): PkgError {
  const files = `${FOLDER}/${JSON_FILE} and ${FOLDER}/${WEIGHTS_FILE}`;
  return new PkgError('not-found', `${what} has no model`, {
    hint: `A package with a model has ${files}; see what it holds with: pkg ls user/name`,
  });
}

function tooLarge(what: string): PkgError {
  return new PkgError('usage', `${what} is larger than ${String(MAX_FILE_BYTES / 2 ** 30)} GiB`, {
    hint: 'pkg runs no models as large as that.',
  });
}
