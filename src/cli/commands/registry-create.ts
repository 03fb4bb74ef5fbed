/** `pkg registry create`: a registry with the way it keeps objects. */
import { z } from 'zod';
import { createRegistry, openStorage, POLICIES } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';

export const registryCreateCommand = defineCommand({
  positionals: [['[address]', 's3://bucket or a folder (default: --registry)']],
  options: [
    ['--policy <policy>', '"packs" for many small files (default), "objects" for quilt3'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ address: z.string().optional(), policy: z.enum(POLICIES).default('packs') }),
  async run(context, { address, policy }) {
    const registry =
      address === undefined
        ? await context.openRegistry('write')
        : await openStorage(context.runtime, address, context.s3, 'write');
    return { registry: registry.url, ...(await createRegistry(registry, policy)) };
  },
  print: ({ registry, policy, isNew }) =>
    isNew ? `${registry} keeps ${policy}` : `${registry} keeps ${policy} already`,
});
