/** `pkg tag`: a further name for a revision. */
import { z } from 'zod';
import { parseReference, tagRevision } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';

export const tagCommand = defineCommand({
  positionals: [
    ['<reference>', 'user/name, user/name:tag or user/name@<top hash>'],
    ['<tag>', 'the name to give, moved if it is there'],
  ],
  options: REGISTRY_OPTIONS,
  schema: z.object({ reference: z.string(), tag: z.string() }),
  async run(context, { reference, tag }) {
    const parsed = parseReference(reference);
    const registry = await context.openRegistry('read');
    return await tagRevision(context.runtime, registry, parsed, tag);
  },
  print: ({ name, tag, topHash, before }) => {
    const was = before === undefined || before === topHash ? '' : ` (before: ${before})`;
    return `${name}:${tag} is ${topHash}${was}`;
  },
});
