/** What a reference names: a build in the user's store, or a revision in a registry. */
import {
  findBuilt,
  type OpenedPackage,
  openBuilt,
  openRevision,
  PkgError,
  parseReference,
  type Storage,
} from '../index.ts';
import type { CommandContext } from './command.ts';

/**
 * Opens a package. A whole top hash names one thing, so a build of it in the store will do unless --registry
 * is given; where no registry is named at all, so will the last build of a name.
 */
export async function openAnywhere(context: CommandContext, text: string): Promise<OpenedPackage> {
  const reference = parseReference(text);
  const { name, revision } = reference;
  const hash =
    revision.kind === 'hash' && revision.prefix.length === 64 ? revision.prefix : undefined;
  if (!context.registryGiven && hash !== undefined) {
    const built = await openBuild(context, name, hash);
    if (built !== undefined) return built;
  }
  const registry = await namedRegistry(context);
  if (registry instanceof PkgError) {
    const isLast = revision.kind === 'tag' && revision.tag === 'latest';
    const built = isLast ? await openBuild(context, name, undefined) : undefined;
    if (built === undefined) throw registry;
    return built;
  }
  return await openRevision(context.runtime, registry, reference);
}

async function openBuild(
  context: CommandContext,
  name: string,
  hash: string | undefined,
): Promise<OpenedPackage | undefined> {
  const store = await context.openStore();
  try {
    return openBuilt(store, await findBuilt(store, name, hash));
  } catch (error) {
    if (error instanceof PkgError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** The registry, or the error that none was named. */
async function namedRegistry(context: CommandContext): Promise<Storage | PkgError> {
  try {
    return await context.openRegistry('read');
  } catch (error) {
    if (!context.registryGiven && error instanceof PkgError && error.code === 'usage') return error;
    throw error;
  }
}
