/** `pkg install`: a package out of a registry into a folder. */
import { z } from 'zod';
import { type InstallResult, installPackage, parseReference } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { count, formatBytes } from '../text.ts';

export const installCommand = defineCommand({
  positionals: [
    ['<reference>', 'user/name, user/name:tag or user/name@<top hash>'],
    ['[paths...]', 'only these files or folders of the package'],
  ],
  options: [
    ['--dest <folder>', 'where to (default: a folder of the package name)'],
    ['--force', 'overwrite other files and local changes'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    reference: z.string(),
    paths: z.array(z.string()).default([]),
    dest: z.string().optional(),
    force: z.boolean().default(false),
  }),
  async run(context, { reference, paths, dest, force }) {
    const parsed = parseReference(reference);
    const registry = await context.openRegistry('read');
    const folder = dest ?? parsed.name.split('/')[1] ?? parsed.name;
    const result = await installPackage(context.runtime, registry, parsed, {
      folder,
      paths,
      foreignFiles: force ? 'overwrite' : 'refuse',
    });
    return { ...result, dest: folder };
  },
  print: (result: InstallResult & { dest: string }) =>
    `Installed ${result.name} into ${result.dest}: ${count(result.entries, 'file')}, ` +
    `${formatBytes(result.sizeBytes)}; ${String(result.fetched)} fetched, ` +
    `${String(result.reused)} here already.\ntop hash ${result.topHash}`,
});
