/** Pinned code: a revision of a repository as a commit id and a deterministic tar of its tree. */
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { type Descriptor, digestOf, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type CodeAddress, parseCodeAddress } from './address.ts';
import { listCommit, readFiles } from './commit-tree.ts';
import type { GitCredentials } from './credentials.ts';
import { type LocalSource, placeOf, readHead, resolveLocal } from './local-commit.ts';
import { findLocalRepository, openLocalObjects } from './local-repository.ts';
import type { GitObjects } from './objects.ts';
import { readWorkTree } from './recorded-tree.ts';
import { fetchCommit, openRemote, resolveRemote } from './remote-repository.ts';
import { compareWorkTree, pathsIn, sortedPaths, type WorkTree } from './work-tree.ts';
import { writeTar } from './write-tar.ts';

export interface GitContext {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly credentials: GitCredentials;
}

/** What a manifest says of its code. */
export interface CodeParams {
  /** An `http(s):` or `file:` URL, a path, or `.` for the repository the manifest stands in. */
  readonly repository: string;
  /** A branch, a tag, a commit id (also shortened, where the repository is on this machine) or `HEAD`. */
  readonly revision: string;
}

export interface PinnedCode extends CodeParams {
  /** The commit's id: 40 or 64 lower-case hex digits. */
  readonly commit: string;
  /** The tar is of a work tree that is not quite the commit's. */
  readonly dirty?: true | undefined;
  /** The deterministic tar, in the store. */
  readonly tar: Descriptor;
}

export interface ResolveOptions {
  /** The manifest's folder: relative paths and `.` start here. */
  readonly folder: string;
  /** What to do with a work tree whose tracked files were changed. */
  readonly dirty: 'refuse' | 'record';
  /** Absolute paths whose changes do not count, such as the manifest's own lockfile. */
  readonly ignoring: readonly string[];
}

/** A repository on this machine, at a commit, with what changed since if that is checked out. */
interface LocalCommit {
  readonly source: LocalSource;
  readonly commit: string;
  /** Undefined where another commit is checked out, or none. */
  readonly workTree: WorkTree | undefined;
  readonly ignoring: ReadonlySet<string>;
}

/** How many changed files a message names. */
const NAMED_FILES = 5;

/**
 * Finds the commit that `revision` names and keeps a tar of its tree in the store.
 * @throws PkgError `usage` for an address or a tree that cannot be pinned; `lockfile` for a work tree
 * with changed files; `not-found` where there is no such repository or revision; `unreachable` where a
 * server fails.
 */
export async function resolveCode(
  context: GitContext,
  params: CodeParams,
  options: ResolveOptions,
): Promise<PinnedCode> {
  const { repository, revision } = params;
  const address = parseCodeAddress(repository, options.folder);
  if (address.kind === 'remote') {
    const { commit, tar } = await pinRemote(context, address.url, revision);
    return { repository, revision, commit, tar };
  }
  return await withLocalCommit(
    context,
    { address, revision, ignoring: options.ignoring },
    async (local) => {
      const { commit, workTree } = local;
      if (workTree === undefined || workTree.changed.size === 0) {
        const tar = await keepTar(context, 'local', commit, () =>
          Promise.resolve(local.source.objects),
        );
        return { repository, revision, commit, tar };
      }
      if (options.dirty === 'refuse') throw changedError(local, workTree);
      const tar = await context.store.put(writeTar(recordedFiles(context, local, workTree)));
      return { repository, revision, commit, dirty: true, tar };
    },
  );
}

/**
 * The tar of pinned code: from the store, else made again of that commit, fetched where it must be.
 * `folder` is the manifest's.
 * @throws PkgError `lockfile` where it is now another tar or was of a changed work tree, `unreachable`
 * or `not-found` where the commit cannot be had any more.
 */
export async function openPinnedCode(
  context: GitContext,
  pinned: PinnedCode,
  folder: string,
): Promise<Descriptor> {
  if (await context.store.has(pinned.tar)) return pinned.tar;
  if (pinned.dirty === true) {
    throw new PkgError(
      'lockfile',
      'the code was pinned from a changed work tree that is not kept here',
      {
        hint: 'Install the package that holds its tar, or commit the code and run: pkg lock --update',
      },
    );
  }
  const tar = await buildTar(context, pinned, folder);
  if (tar.digest === pinned.tar.digest && tar.sizeBytes === pinned.tar.sizeBytes) return tar;
  const what = `the code of ${pinned.repository} at ${pinned.commit} is not the pinned one`;
  throw new PkgError('lockfile', `${what}: its tar is ${tar.digest}, not ${pinned.tar.digest}`, {
    hint: 'The lockfile was changed by hand, or written by another version of pkg; run: pkg lock --update',
  });
}

/**
 * Tracked files of a repository on this machine that differ from the commit that is checked out, as paths
 * in it, in the order of their bytes; none for a server's repository, a bare one, or a revision that is
 * not checked out.
 */
export async function checkWorkTree(
  context: GitContext,
  params: CodeParams,
  folder: string,
  ignoring: readonly string[],
): Promise<readonly string[]> {
  const address = parseCodeAddress(params.repository, folder);
  if (address.kind === 'remote') return [];
  const { revision } = params;
  return await withLocalCommit(context, { address, revision, ignoring }, ({ workTree }) =>
    Promise.resolve(workTree === undefined ? [] : sortedPaths(workTree.changed)),
  );
}

async function pinRemote(
  context: GitContext,
  url: URL,
  revision: string,
): Promise<{ readonly commit: string; readonly tar: Descriptor }> {
  const remote = openRemote(context, url);
  const found = await resolveRemote(remote, revision);
  const tar = await keepTar(context, url.href, found.commit, () => fetchCommit(remote, found));
  return { commit: found.commit, tar };
}

async function buildTar(
  context: GitContext,
  pinned: PinnedCode,
  folder: string,
): Promise<Descriptor> {
  const address = parseCodeAddress(pinned.repository, folder);
  if (address.kind === 'remote') return (await pinRemote(context, address.url, pinned.commit)).tar;
  const wanted = { address, revision: pinned.commit, ignoring: undefined };
  return await withLocalCommit(context, wanted, async ({ source, commit }) => {
    return await keepTar(context, 'local', commit, () => Promise.resolve(source.objects));
  });
}

/** Opens a repository on this machine for as long as `use` runs. */
async function withLocalCommit<T>(
  context: GitContext,
  wanted: {
    readonly address: CodeAddress & { readonly kind: 'local' };
    readonly revision: string;
    /** Undefined where nobody asks whether the work tree was changed. */
    readonly ignoring: readonly string[] | undefined;
  },
  use: (local: LocalCommit) => Promise<T>,
): Promise<T> {
  const repository = await findLocalRepository(wanted.address);
  const { close, ...objects } = await openLocalObjects(repository);
  try {
    const source = { runtime: context.runtime, repository, objects };
    const commit = await resolveLocal(source, wanted.revision);
    const root = wanted.ignoring === undefined ? undefined : repository.workTree;
    if (root === undefined || (await readHead(source)) !== commit) {
      return await use({ source, commit, workTree: undefined, ignoring: new Set() });
    }
    const ignoring = await pathsIn(root, wanted.ignoring ?? []);
    const checkedOut = { ...source, repository: { ...repository, workTree: root } };
    const workTree = await compareWorkTree(checkedOut, commit, ignoring);
    return await use({ source, commit, workTree, ignoring });
  } finally {
    await close();
  }
}

function recordedFiles(context: GitContext, local: LocalCommit, workTree: WorkTree) {
  const { source, ignoring } = local;
  const { repository, objects } = source;
  const { signal } = context.runtime;
  return readWorkTree({ repository, objects, workTree, ignoring, signal });
}

function changedError(local: LocalCommit, workTree: WorkTree): PkgError {
  const paths = sortedPaths(workTree.changed);
  const named = paths.slice(0, NAMED_FILES).join(', ');
  const more = paths.length > NAMED_FILES ? ` and ${String(paths.length - NAMED_FILES)} more` : '';
  const where = placeOf(local.source.repository);
  return new PkgError(
    'lockfile',
    `the code in ${where} has changes not committed: ${named}${more}`,
    {
      key: 'code.repository',
      hint: 'Commit them, or run again with --allow-dirty to record the files as they are.',
    },
  );
}

/**
 * The tar of a commit of a repository that has it, remembered: a commit's tree never changes. `source`
 * says where the commit was seen.
 */
async function keepTar(
  { store, runtime }: GitContext,
  source: string,
  commit: string,
  open: () => Promise<GitObjects>,
): Promise<Descriptor> {
  const key = digestOf(canonicalJson({ kind: 'tar of code', version: 1, source, commit }));
  const known = parseDescriptor(await store.findRecord('files', key));
  if (known !== undefined && (await store.has(known))) return known;
  const objects = await open();
  const files = await listCommit(objects, commit);
  const tar = await store.put(writeTar(readFiles(objects, files, runtime.signal)));
  await store.writeRecord('files', key, { ...tar });
  return tar;
}

function parseDescriptor(value: unknown): Descriptor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('digest' in value) || !('sizeBytes' in value)) return undefined;
  const { digest, sizeBytes } = value;
  const isWhole = typeof digest === 'string' && isDigest(digest) && typeof sizeBytes === 'number';
  return isWhole ? { digest, sizeBytes } : undefined;
}
