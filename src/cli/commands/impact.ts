/** `pkg impact`: what in a registry holds a photo, or was made of it. */
import { z } from 'zod';
import { findImpact, type Impact, PkgError, type Reindexed, reindexLineage } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { EXIT_INTEGRITY } from '../finding-lines.ts';
import { impactLines, reindexLines } from '../impact-lines.ts';

/** Of each revision, unless all are asked for by --json. */
const NAMES_SHOWN = 3;

export const impactCommand = defineCommand({
  positionals: [
    ['[query]', 'an ImageID, an author, a licence (by/2.0, CC-BY-2.0) or an address of a photo'],
  ],
  options: [
    ['--reindex', 'first write the lineages that the registry lacks, and put many into one'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ query: z.string().optional(), reindex: z.boolean().default(false) }),
  async run(context, { query, reindex }): Promise<Impact | Reindexed> {
    const registry = await context.openRegistry('read');
    const { runtime } = context;
    const lineage = { runtime, registry, cache: await context.openStore() };
    const reindexed = reindex ? await reindexLineage(lineage) : undefined;
    if (query !== undefined) {
      const maxNames = context.printLine === undefined ? Number.POSITIVE_INFINITY : NAMES_SHOWN;
      return await findImpact(lineage, query, { maxNames });
    }
    if (reindexed !== undefined) return reindexed;
    throw new PkgError('usage', 'an ImageID, author, licence or address is needed, or --reindex');
  },
  print: (result) => ('query' in result ? impactLines(result) : reindexLines(result)).join('\n'),
  exitCode: ({ unknown }) => (unknown.length > 0 ? EXIT_INTEGRITY : 0),
});
