/** `pkg untag`: a tag is taken away; the revision stays. */
import { z } from 'zod';
import { parseReference, untag } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';

export const untagCommand = defineCommand({
  positionals: [
    ['<name>', 'the package, as user/name'],
    ['<tag>', 'the tag to take away'],
  ],
  options: REGISTRY_OPTIONS,
  schema: z.object({ name: z.string(), tag: z.string() }),
  async run(context, { name, tag }) {
    const registry = await context.openRegistry('read');
    return await untag(registry, parseReference(name).name, tag);
  },
  print: ({ name, tag, topHash }) => `${name} has no tag ${tag} any more; it was ${topHash}`,
});
