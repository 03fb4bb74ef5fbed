/** The environment a package is made in: Node, npm's lockfile and a Dockerfile, pinned by digest. */
import { isAbsolute, posix } from 'node:path';
import { z } from 'zod';
import type { Manifest } from '../manifest/manifest.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Digest, digestOf, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { readBaseImages } from './base-images.ts';
import { dockerfileDifference, installedDifference, lockfileDifference } from './differences.ts';
import { isNodeVersion, requireNodeVersion } from './node-version.ts';
import { parsePackageLock, withoutIntegrity } from './package-lock.ts';
import { printable } from './printable.ts';

/** The key `environment` of a manifest. */
export type EnvironmentParams = NonNullable<Manifest['environment']>;

/** The logical keys that the files of an environment have in a package. */
export const ENVIRONMENT_KEYS = {
  lockfile: 'environment/package-lock.json',
  dockerfile: 'environment/Dockerfile',
} as const;

const pinnedFileShape = {
  /** As the manifest names it. */
  path: z.string().min(1).max(4096),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), {
    error: 'expected a SHA-256 digest',
  }),
  sizeBytes: z.int().min(0),
};

/** What a lockfile holds of an environment; the files themselves are in the store and in the package. */
export const pinnedEnvironmentSchema = z.strictObject({
  node: z.string().refine(isNodeVersion, { error: 'expected a version of Node' }).optional(),
  lockfile: z.strictObject({ ...pinnedFileShape, lockfileVersion: z.literal([2, 3]) }).optional(),
  dockerfile: z
    .strictObject({
      ...pinnedFileShape,
      /** Each by digest, with build arguments filled in; in order, each once. */
      baseImages: z.array(z.string().min(1).max(4096)).max(1000),
    })
    .optional(),
});

export type PinnedEnvironment = Readonly<z.output<typeof pinnedEnvironmentSchema>>;

/** A file that a package pins. */
export interface PinnedFile {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Gives the bytes of a pinned file from a store or a package; undefined where they are not at hand. */
export type PinnedFileReader = (file: PinnedFile) => Promise<Buffer | undefined>;

/** Gives a file of the pinned code, or beside the manifest; undefined where there is none. */
export type ReadFile = (path: string) => Promise<Buffer | undefined>;

/** How many names a warning lists. */
const NAMES_SHOWN = 3;

/**
 * Pins what a manifest says of its environment, and puts the files into the store.
 * @throws PkgError `manifest` with a key such as `environment.lockfile` where the version of Node is not a whole
 * one, a file is missing, the lockfile is not npm's or the Dockerfile names an image without its digest.
 */
export async function pinEnvironment(
  runtime: Runtime,
  store: Store,
  params: EnvironmentParams,
  read: ReadFile,
): Promise<PinnedEnvironment> {
  const pinned: PinnedEnvironment = {
    ...(params.node === undefined ? {} : { node: requireNodeVersion(params.node) }),
    ...(params.lockfile === undefined
      ? {}
      : { lockfile: await pinLockfile(runtime, store, params.lockfile, read) }),
    ...(params.dockerfile === undefined
      ? {}
      : { dockerfile: await pinDockerfile(store, params.dockerfile, read) }),
  };
  runtime.signal.throwIfAborted();
  return pinned;
}

async function pinLockfile(runtime: Runtime, store: Store, path: string, read: ReadFile) {
  const bytes = await readNamed('environment.lockfile', path, read);
  const lock = parsePackageLock(bytes, path);
  const loose = withoutIntegrity(lock);
  if (loose.length > 0) {
    const names = loose.slice(0, NAMES_SHOWN).map(printable).join(', ');
    const more =
      loose.length > NAMES_SHOWN ? ` and ${String(loose.length - NAMES_SHOWN)} more` : '';
    runtime.report({
      kind: 'warned',
      message: `${path} has no digest for ${names}${more}, so npm would not notice other bytes`,
    });
  }
  return { path, ...(await store.putBytes(bytes)), lockfileVersion: lock.lockfileVersion };
}

async function pinDockerfile(store: Store, path: string, read: ReadFile) {
  const bytes = await readNamed('environment.dockerfile', path, read);
  const baseImages = [...readBaseImages(bytes, path)];
  return { path, ...(await store.putBytes(bytes)), baseImages };
}

async function readNamed(key: string, path: string, read: ReadFile): Promise<Buffer> {
  const hint = 'Name a file of the code, or one relative to the manifest.';
  if (isAbsolute(path) || path.includes('\0')) {
    throw new PkgError('manifest', `${printable(path)} is not a relative path`, { key, hint });
  }
  const bytes = await read(path);
  if (bytes === undefined) {
    throw new PkgError('manifest', `${path} is not there`, { key, hint });
  }
  return bytes;
}

/** What is looked at where a package is to be made again. */
export interface EnvironmentHere {
  /** The running version of Node, without a v. */
  readonly node: string;
  /** Gives a file of the code as it lies here; undefined where there is no code to look at. */
  readonly openFile: ReadFile | undefined;
}

/** What a package says beside its pinned environment. */
export interface EnvironmentUse {
  /** What trained its model, if anything did. */
  readonly engine: 'deterministic' | 'tensorflow' | undefined;
  readonly openPinned: PinnedFileReader;
}

/** One thing looked at. */
export interface EnvironmentFinding {
  readonly subject: 'node' | 'lockfile' | 'installed' | 'dockerfile';
  readonly same: boolean;
  readonly sentence: string;
  /** What a difference can do to the package. */
  readonly matters: 'no byte' | 'may change model';
}

/** Where npm notes what it installed, beside the lockfile. */
const INSTALLED_NOTES = 'node_modules/.package-lock.json';

/**
 * Compares a pinned environment with the one here, in the order Node, lockfile, installed packages, Dockerfile;
 * what is not pinned, or not here to be looked at, is left out.
 */
export async function checkEnvironment(
  pinned: PinnedEnvironment,
  use: EnvironmentUse,
  here: EnvironmentHere,
): Promise<readonly EnvironmentFinding[]> {
  const found = [
    checkNode(pinned, here),
    await checkLockfile(pinned, use, here),
    await checkInstalled(pinned, use, here),
    await checkDockerfile(pinned, here),
  ];
  const depends = use.engine === 'tensorflow';
  return found
    .filter((finding) => finding !== undefined)
    .map(({ subject, same, sentence }) => ({
      subject,
      same,
      sentence: same ? sentence : `${sentence}; ${depends ? MAY_CHANGE : NO_BYTE}`,
      matters: depends ? 'may change model' : 'no byte',
    }));
}

const NO_BYTE = 'no byte of the package depends on it';
const MAY_CHANGE = 'a model that TensorFlow.js trains may differ with it';

type Compared = Omit<EnvironmentFinding, 'matters'>;

function checkNode({ node }: PinnedEnvironment, here: EnvironmentHere): Compared | undefined {
  if (node === undefined) return undefined;
  const same = node === here.node;
  const sentence = same
    ? `Node is ${node}, as pinned`
    : `Node is ${here.node} here, ${printable(node)} is pinned`;
  return { subject: 'node', same, sentence };
}

async function checkLockfile(
  { lockfile }: PinnedEnvironment,
  { openPinned }: EnvironmentUse,
  { openFile }: EnvironmentHere,
): Promise<Compared | undefined> {
  if (lockfile === undefined || openFile === undefined) return undefined;
  return await checkFile('lockfile', lockfile, openFile, async (bytes) =>
    lockfileDifference(await openPinned(lockfile), bytes),
  );
}

async function checkDockerfile(
  { dockerfile }: PinnedEnvironment,
  { openFile }: EnvironmentHere,
): Promise<Compared | undefined> {
  if (dockerfile === undefined || openFile === undefined) return undefined;
  return await checkFile('dockerfile', dockerfile, openFile, (bytes) =>
    dockerfileDifference(dockerfile.baseImages, bytes),
  );
}

async function checkFile(
  subject: EnvironmentFinding['subject'],
  { path, digest }: PinnedFile,
  openFile: ReadFile,
  difference: (bytes: Buffer) => string | Promise<string>,
): Promise<Compared> {
  const name = printable(path);
  const bytes = await openFile(path);
  if (bytes === undefined)
    return { subject, same: false, sentence: `${name} is pinned and not here` };
  if (digestOf(bytes) === digest) return { subject, same: true, sentence: `${name} is as pinned` };
  return { subject, same: false, sentence: `${name} differs: ${await difference(bytes)}` };
}

async function checkInstalled(
  { lockfile }: PinnedEnvironment,
  { openPinned }: EnvironmentUse,
  { openFile }: EnvironmentHere,
): Promise<Compared | undefined> {
  if (lockfile === undefined || openFile === undefined) return undefined;
  const notes = await openFile(posix.join(posix.dirname(lockfile.path), INSTALLED_NOTES));
  const pinned = await openPinned(lockfile);
  if (notes === undefined || pinned === undefined) return undefined;
  const difference = installedDifference(pinned, notes);
  const sentence =
    difference === undefined
      ? 'what npm installed is as pinned'
      : `npm installed other packages: ${difference}`;
  return { subject: 'installed', same: difference === undefined, sentence };
}
