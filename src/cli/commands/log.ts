/** `pkg log`: the revisions of a package. */
import { z } from 'zod';
import { parseReference, readHistory } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { columns } from '../text.ts';

export const logCommand = defineCommand({
  positionals: [['<name>', 'the package, as user/name']],
  options: REGISTRY_OPTIONS,
  schema: z.object({ name: z.string() }),
  async run(context, input) {
    const { name } = parseReference(input.name);
    const registry = await context.openRegistry('read');
    const history = await readHistory(registry, name);
    const revisions = history.map(({ topHash, pushedAt, tags }) => ({
      topHash,
      pushedAt: pushedAt.toISOString(),
      tags,
    }));
    return { name, revisions };
  },
  print: ({ revisions }) =>
    columns(
      revisions.map(({ topHash, pushedAt, tags }) => [
        pushedAt.replace('.000Z', 'Z'),
        topHash,
        tags.join(', '),
      ]),
    ),
});
