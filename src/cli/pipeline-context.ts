/** What a pipeline asks of its surroundings: packages by reference, and credentials for repositories. */
import { gitCredentials, type PipelineContext } from '../index.ts';
import type { CommandContext } from './command.ts';
import { hostFacts, TOOL } from './host.ts';
import { openAnywhere } from './open-anywhere.ts';

/** The surroundings of a build, with the user's store. */
export async function pipelineOf(context: CommandContext): Promise<PipelineContext> {
  return {
    ...{ runtime: context.runtime, s3: context.s3, store: await context.openStore() },
    credentials: gitCredentials(process.env),
    builder: { tool: TOOL, host: hostFacts() },
    findPackage: (reference) => openAnywhere(context, reference),
  };
}
