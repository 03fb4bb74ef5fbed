/** What a pipeline asks of its surroundings: packages by reference, and credentials for repositories. */
import {
  findBuilt,
  gitCredentials,
  type OpenedPackage,
  openBuilt,
  openRevision,
  type PipelineContext,
  PkgError,
  parseReference,
  type Store,
} from '../index.ts';
import type { CommandContext } from './command.ts';
import { hostFacts, TOOL } from './host.ts';

/** The surroundings of a build, with the user's store. */
export async function pipelineOf(context: CommandContext): Promise<PipelineContext> {
  const store = await context.openStore();
  return {
    ...{ runtime: context.runtime, s3: context.s3, store },
    credentials: gitCredentials(process.env),
    builder: { tool: TOOL, host: hostFacts() },
    findPackage: (reference) => findAnywhere(context, store, reference),
  };
}

/** A package that was built into the store, else one of the registry. */
async function findAnywhere(
  context: CommandContext,
  store: Store,
  text: string,
): Promise<OpenedPackage> {
  const reference = parseReference(text);
  const { name, revision } = reference;
  if (!context.registryGiven && revision.kind === 'hash' && revision.prefix.length === 64) {
    const built = await orNotFound(findBuilt(store, name, revision.prefix));
    if (built !== undefined) return openBuilt(store, built);
  }
  return await openRevision(context.runtime, await context.openRegistry('read'), reference);
}

async function orNotFound<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'not-found') return undefined;
    throw error;
  }
}
