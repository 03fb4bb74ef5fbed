/** `pkg why`: what a file of a package was made of, and whose it is. */
import { z } from 'zod';
import {
  explainFile,
  findInstalledAround,
  keyInFolder,
  openInstalled,
  openRevision,
  PkgError,
  parseReference,
} from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { whyLines } from '../why-lines.ts';

const schema = z.object({
  subject: z.string(),
  file: z.string().optional(),
  in: z.string().optional(),
});

export const whyCommand = defineCommand({
  positionals: [
    ['<subject>', 'a file in an installed folder; or a reference, with a file and --registry'],
    ['[file]', 'the logical key of a file of that package'],
  ],
  options: [
    ['--in <folder>', 'the installed folder that the file is of (default: the nearest above it)'],
    ...REGISTRY_OPTIONS,
  ],
  schema,
  async run(context, flags) {
    const { opened, logicalKey } = await openSubject(context, flags);
    return await explainFile(opened, logicalKey);
  },
  print: (lineage) => whyLines(lineage).join('\n'),
});

async function openSubject(
  context: CommandContext,
  { subject, file, in: folder }: z.infer<typeof schema>,
) {
  if (file !== undefined && folder !== undefined) {
    throw new PkgError('usage', `--in ${folder} and a reference exclude each other`);
  }
  if (folder !== undefined) {
    return { opened: await openInstalled(folder), logicalKey: keyInFolder(folder, subject) };
  }
  if (file === undefined) return await findInstalledAround(subject);
  const reference = parseReference(subject);
  const registry = await context.openRegistry('read');
  return { opened: await openRevision(context.runtime, registry, reference), logicalKey: file };
}
