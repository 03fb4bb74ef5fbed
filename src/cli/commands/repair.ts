/** `pkg repair`: what a check of a registry finds wrong, restored. */
import { z } from 'zod';
import { openStorage, repairRegistry } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { EXIT_INTEGRITY, findingLines } from '../finding-lines.ts';
import { count } from '../text.ts';

const several = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((given) => (typeof given === 'string' ? [given] : given));

export const repairCommand = defineCommand({
  positionals: [],
  options: [
    ['--from <address...>', 'other registries that have the same packages'],
    ['--from-dir <folder...>', 'folders with files of them, such as installed packages'],
    ['--dry-run', 'say what could be restored, and write nothing'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ from: several, fromDir: several, dryRun: z.boolean().default(false) }),
  async run(context, { from, fromDir, dryRun }) {
    const { runtime, s3 } = context;
    const registry = await context.openRegistry('read');
    const others = from.map((address) => openStorage(runtime, address, s3, 'read'));
    const result = await repairRegistry(runtime, registry, {
      from: await Promise.all(others),
      store: await context.openStore(),
      folders: fromDir,
      mode: dryRun ? 'look' : 'write',
    });
    return { registry: registry.url, dryRun, ...result };
  },
  print({ registry, dryRun, restored, left }) {
    const did = dryRun ? 'could be restored' : 'restored';
    const lines = restored.map((key) => `${did}  ${key}`);
    if (left.length > 0) lines.push(findingLines(left));
    const could = `${count(restored.length, 'file')} ${did}`;
    const rest = left.length === 0 ? 'nothing is left' : `${String(left.length)} could not be`;
    return [...lines, `${registry}: ${could}, ${rest}`].join('\n');
  },
  exitCode: ({ left }) => (left.length === 0 ? 0 : EXIT_INTEGRITY),
});
