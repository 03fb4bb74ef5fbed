/** What `pkg push` is to push: a build out of the store, or a folder. */
import {
  type BuildRecord,
  fileBytes,
  findBuilt,
  type OpenObject,
  type Package,
  PkgError,
  parseReference,
  readFolderCached,
  type Store,
} from '../index.ts';
import type { CommandContext } from './command.ts';

/** A package, and where the bytes of its objects are. */
export interface Pushed {
  readonly pkg: Package;
  readonly open: OpenObject;
  /** What the builder saw of its host; only of a build. */
  readonly record?: BuildRecord | undefined;
}

interface Subject {
  readonly reference: string;
  readonly dir?: string | undefined;
  readonly message?: string | undefined;
}

/** Finds the package; the files of a folder that were not touched since are not read again. */
export async function findPushed(
  { runtime }: CommandContext,
  store: Store,
  { reference, dir, message }: Subject,
): Promise<Pushed> {
  const { signal } = runtime;
  if (dir === undefined && message !== undefined) {
    throw new PkgError('usage', '--message is for the files of a folder (--dir)', {
      hint: 'The message of a build is the description in its manifest.',
    });
  }
  if (dir !== undefined) {
    const { pkg, paths } = await readFolderCached(runtime, store, { folder: dir, message });
    return { pkg, open: (digest, range) => fileBytes(paths.get(digest) ?? '', signal, range) };
  }
  const { name, revision } = parseReference(reference);
  const hash = revision.kind === 'hash' ? revision.prefix : undefined;
  const { pkg, record } = await findBuilt(store, name, hash);
  return { pkg, record, open: (digest, range) => fileBytes(store.path(digest), signal, range) };
}
