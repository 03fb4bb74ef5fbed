/** What the first argument of `pkg predict` means: a folder, a build, or a revision in a registry. */
import { stat } from 'node:fs/promises';
import {
  type FoundModel,
  findBuilt,
  PkgError,
  parseReference,
  readBuiltModel,
  readFolderModel,
  readRegistryModel,
  type Storage,
  type Store,
} from '../index.ts';
import type { CommandContext } from './command.ts';

type Reference = ReturnType<typeof parseReference>;

/** An existing folder wins over a reference; without --registry, a build wins over PKG_REGISTRY. */
export async function findModel(context: CommandContext, subject: string): Promise<FoundModel> {
  const kind = await kindOf(subject);
  if (kind === 'folder') return await readFolderModel(context.runtime, subject);
  if (kind === 'file') {
    throw new PkgError('usage', `${subject} is a file; the model's folder or package comes first`, {
      hint: 'Write: pkg predict <model> <photos...>',
    });
  }
  if (/^[./~]|[/\\]$/.test(subject)) {
    throw new PkgError('not-found', `there is no folder ${subject}`, {
      hint: 'Give the folder of an installed package, or a reference: user/name',
    });
  }
  const reference = parseReference(subject);
  if (context.registryGiven) {
    const registry = await context.openRegistry('read');
    return await readRegistryModel(context.runtime, registry, reference);
  }
  const store = await context.openStore();
  const built = await notFoundOr(findLocally(store, reference));
  if (!(built instanceof PkgError)) return await readBuiltModel(store, built);
  const registry = await defaultRegistry(context, built);
  return await readRegistryModel(context.runtime, registry, reference);
}

async function kindOf(subject: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(subject)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

/** Builds have no tags, and are known by their whole top hash only. */
async function findLocally(store: Store, { name, revision }: Reference) {
  if (revision.kind === 'tag') {
    if (revision.tag === 'latest') return await findBuilt(store, name);
  } else if (revision.prefix.length === 64) {
    return await findBuilt(store, name, revision.prefix);
  }
  throw new PkgError('not-found', 'a build is found by its name or its whole top hash alone');
}

async function notFoundOr<T>(work: Promise<T>): Promise<T | PkgError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'not-found') return error;
    throw error;
  }
}

async function defaultRegistry(context: CommandContext, missed: PkgError): Promise<Storage> {
  try {
    return await context.openRegistry('read');
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'usage') throw error;
    throw new PkgError('not-found', `${missed.message}, and no registry was named`, {
      hint: 'Build it, name its registry with --registry, or give the folder it is installed in.',
    });
  }
}
