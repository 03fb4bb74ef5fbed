/** `pkg registry convert`: a registry that keeps objects in another way from now on. */
import { z } from 'zod';
import { convertRegistry, POLICIES } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { count, formatBytes } from '../text.ts';

export const registryConvertCommand = defineCommand({
  positionals: [],
  options: [
    ['--policy <policy>', '"packs" for many small files, "objects" for readers with quilt3'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ policy: z.enum(POLICIES) }),
  async run(context, { policy }) {
    const registry = await context.openRegistry('read');
    const result = await convertRegistry(
      context.runtime,
      registry,
      policy,
      await context.openStore(),
    );
    return { registry: registry.url, ...result };
  },
  print: ({ registry, policy, lists, objects, sentBytes }) =>
    `${registry} keeps ${policy} now: ${count(objects, 'object')} placed anew, ` +
    `${count(lists, 'list')} written, ${formatBytes(sentBytes)} sent from here.\n` +
    'The old copies are still there; remove them with: pkg registry sweep --delete',
});
