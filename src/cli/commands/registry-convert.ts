/** `pkg registry convert`: a registry that keeps objects in another way from now on. */
import { z } from 'zod';
import { convertRegistry, openStorage, POLICIES } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { count, formatBytes } from '../text.ts';

export const registryConvertCommand = defineCommand({
  positionals: [['[address]', 's3://bucket or a folder (default: --registry)']],
  options: [
    ['--policy <policy>', '"packs" for many small files, "objects" for readers with quilt3'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ address: z.string().optional(), policy: z.enum(POLICIES) }),
  async run(context, { address, policy }) {
    const registry =
      address === undefined
        ? await context.openRegistry('read')
        : await openStorage(context.runtime, address, context.s3, 'read');
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
