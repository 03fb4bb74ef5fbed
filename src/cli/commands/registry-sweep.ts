/** `pkg registry sweep`: what no revision reaches is removed. */
import { z } from 'zod';
import { openStorage, type SweepResult, sweepRegistry } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { parseGrace, retentionOf } from '../sweep-flags.ts';
import { columns, count, formatBytes } from '../text.ts';

export const registrySweepCommand = defineCommand({
  positionals: [
    ['<address>', 's3://bucket or a folder'],
    ['[names...]', 'with --keep-last: only these packages, as user/name'],
  ],
  options: [
    ['--delete', 'remove; without it, it is only said what would go'],
    ['--grace <time>', 'what is younger stays, as 30m, 24h or 7d (default: 24h)'],
    ['--keep-last <n>', 'first remove the revisions beyond the n newest of each package'],
    ['--keep-tagged', 'with --keep-last: keep those that have a tag'],
    REGISTRY_OPTIONS[1],
  ],
  schema: z.object({
    address: z.string(),
    names: z.array(z.string()).default([]),
    delete: z.boolean().default(false),
    grace: z.string().optional(),
    keepLast: z.string().optional(),
    keepTagged: z.boolean().default(false),
  }),
  async run(context, { address, grace, ...flags }) {
    const mode = flags.delete ? 'remove' : 'count';
    const options = { mode, graceMs: parseGrace(grace), retention: retentionOf(flags) } as const;
    const registry = await openStorage(context.runtime, address, context.s3, 'read');
    const cache = await context.openStore();
    return await sweepRegistry(context.runtime, registry, { ...options, cache });
  },
  print: ({ registry, dryRun, revisions, removed, packedAnew, elsewhere }: SweepResult) => {
    const rows = Object.entries(removed)
      .filter(([, { count: n }]) => n > 0)
      .map(([kind, { count: n, sizeBytes }]) => [n, kind, formatBytes(sizeBytes)] as const);
    const verb = dryRun ? 'would be removed from' : 'were removed from';
    return [
      ...revisions.map(({ name, pointer, topHash }) => `${name}  ${pointer}  ${topHash}`),
      ...(revisions.length > 0 ? [`These pointers ${verb} ${registry}.`] : []),
      rows.length === 0 ? `${registry}: nothing to remove.` : `These ${verb} ${registry}:`,
      ...(rows.length === 0 ? [] : [columns(rows)]),
      ...(packedAnew > 0 ? [`Of the packs, ${String(packedAnew)} packed anew.`] : []),
      ...(elsewhere.count === 0
        ? []
        : [`${count(elsewhere.count, 'object')} of other tools left alone.`]),
      ...(dryRun && rows.length + revisions.length > 0 ? ['Remove them with --delete.'] : []),
    ].join('\n');
  },
});
