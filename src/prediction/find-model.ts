/** Finding a model: in a registry, a store or a folder, its bytes checked against what its package says. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { entriesBelow } from '../installation/install.ts';
import { findInstallation, type Installation } from '../installation/installation.ts';
import type { Model } from '../models/models.ts';
import { type Entry, type Package, statedDigest, type TopHash } from '../package/package.ts';
import { matchesHash } from '../package/verify.ts';
import { readEntry } from '../registry/objects.ts';
import type { Reference } from '../registry/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { readPackage, resolveReference } from '../registry/revisions.ts';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes, isDigest, streamOf } from '../store/digest.ts';
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
type NamedPackage = Pick<Installation, 'name' | 'topHash' | 'pkg'>;

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
  registry: Registry,
  { name, revision }: Reference,
): Promise<FoundModel> {
  const topHash = await resolveReference(registry, { name, revision });
  const pkg = await readPackage(registry, topHash);
  const read = (entry: Entry) => collect(readEntry(runtime, registry, entry));
  return await readPackagedModel({ name, topHash, pkg }, { registry: registry.url }, read);
}

/** The model of a package that was built into a store; throws as `readRegistryModel` does. */
export async function readBuiltModel(store: Store, built: NamedPackage): Promise<FoundModel> {
  return await readPackagedModel(built, {}, async (entry) => {
    const digest = statedDigest(entry);
    if (digest !== undefined && isDigest(digest)) return await store.read(digest);
    throw new PkgError('integrity', `${built.name} does not say where its ${entry.logicalKey} is`);
  });
}

/**
 * The model in a folder: an installed package's, or `models/` in one, checked against the package; or
 * any `model.json` beside its `weights.bin`, there or in `models/`.
 * @throws PkgError as `readRegistryModel`; `integrity` too where installed files were changed.
 */
export async function readFolderModel(runtime: Runtime, folder: string): Promise<FoundModel> {
  const above = basename(resolve(folder)) === FOLDER ? dirname(resolve(folder)) : undefined;
  for (const root of [folder, above]) {
    const installation = root === undefined ? undefined : await findInstallation(root);
    if (root === undefined || installation === undefined) continue;
    const read = (entry: Entry) => readInstalled(runtime, root, installation, entry);
    return await readPackagedModel(installation, { folder }, read);
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
  { name, topHash, pkg }: NamedPackage,
  place: Pick<ModelOrigin, 'folder' | 'registry'>,
  read: (entry: Entry) => Promise<Uint8Array>,
): Promise<FoundModel> {
  const [jsonKey, weightsKey] = [`${FOLDER}/${JSON_FILE}`, `${FOLDER}/${WEIGHTS_FILE}`];
  const json = findEntry(pkg, jsonKey);
  const weights = findEntry(pkg, weightsKey);
  if (json === undefined || weights === undefined) throw noModel(`${name}@${topHash}`);
  const files = { json: await read(json), weights: await read(weights) };
  return foundModel(files, { where: `${name}/${jsonKey}`, name, topHash, ...place });
}

function findEntry({ entries }: Package, key: string): Entry | undefined {
  const entry = entries.find(({ logicalKey }) => logicalKey === key);
  if (entry !== undefined && entry.sizeBytes > MAX_FILE_BYTES) throw tooLarge(key);
  return entry;
}

function foundModel({ json, weights }: ModelFiles, origin: ModelOrigin): FoundModel {
  const text = Buffer.from(json).toString('utf8');
  return { model: parseRunnable(text, weights, origin.where), origin };
}

/** An installed file, which must be what its package says. */
async function readInstalled(
  runtime: Runtime,
  root: string,
  { name, pkg, paths }: Installation,
  entry: Entry,
): Promise<Uint8Array> {
  const path = join(root, entry.logicalKey);
  const bytes = await readWithin(runtime, path);
  if (bytes === undefined && !entriesBelow(pkg, paths).includes(entry)) {
    throw new PkgError('not-found', `${path} was not installed`, {
      hint: `Install it too, with: pkg install ${name} ${FOLDER} --dest ${root}`,
    });
  }
  const isWhole = bytes?.length === entry.sizeBytes && (await matchesHash(streamOf(bytes), entry));
  if (bytes !== undefined && isWhole) return bytes;
  const what = bytes === undefined ? 'is missing' : 'has other bytes than its package says';
  throw new PkgError('integrity', `${path} ${what}`, {
    hint: `Restore it with: pkg install ${name} ${FOLDER} --dest ${root} --force`,
  });
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
