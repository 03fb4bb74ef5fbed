/** `pkg env dockerfile`: a Dockerfile whose build reproduces a package. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { findBuilt, formatReproducingDockerfile, PkgError } from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { type EnvironmentSubject, environmentSubject } from '../environment-subject.ts';

export const envDockerfileCommand = defineCommand({
  positionals: [
    ['<subject>', 'a manifest, a folder with a package in it, or with --registry a reference'],
  ],
  options: [['--output <file>', 'where to write it (default: the terminal)'], ...REGISTRY_OPTIONS],
  schema: z.object({ subject: z.string(), output: z.string().optional() }),
  async run(context, { subject, output }) {
    const found = await environmentSubject(context, subject);
    const { name, environment = {} } = found.lockfile;
    const topHash = found.topHash ?? (await findBuilt(await context.openStore(), name)).topHash;
    const reference = `${name}@${topHash}`;
    const registry = await registryOf(context, found);
    const text = await formatReproducingDockerfile({
      ...{ reference, registry, environment },
      ...context.s3,
    });
    if (output !== undefined) await writeNew(output, text);
    return { reference, registry, output, dockerfile: text };
  },
  print: ({ reference, output, dockerfile }) =>
    output === undefined ? dockerfile.trimEnd() : `${output} reproduces ${reference}`,
});

/** `s3://bucket` as it is, and a folder by its whole path, as a builder runs elsewhere. */
async function registryOf(
  context: CommandContext,
  { registry }: EnvironmentSubject,
): Promise<string> {
  const address =
    context.registryGiven || registry === undefined
      ? (await context.openRegistry('read')).url
      : registry;
  return address.startsWith('s3://') ? address : resolve(address);
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    throw new PkgError('usage', `cannot write ${path}, or it is there already`, {
      hint: 'Name another file with --output.',
      cause: error,
    });
  }
}
