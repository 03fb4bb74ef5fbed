/** `pkg ls`: the packages of a registry, or the files of a package. */
import { z } from 'zod';
import {
  listPackages,
  parseReference,
  readPackage,
  resolveReference,
  selectEntries,
} from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { columns, count, formatBytes } from '../text.ts';

export const lsCommand = defineCommand({
  positionals: [
    ['[reference]', 'a package; without one, all packages are listed'],
    ['[paths...]', 'only these files or folders of the package'],
  ],
  options: REGISTRY_OPTIONS,
  schema: z.object({
    reference: z.string().optional(),
    paths: z.array(z.string()).default([]),
  }),
  async run(context, { reference, paths }) {
    const registry = await context.openRegistry('read');
    if (reference === undefined) return { packages: await listPackages(registry) };
    const parsed = parseReference(reference);
    const topHash = await resolveReference(registry, parsed);
    const pkg = await readPackage(registry, topHash);
    const entries = selectEntries(pkg, paths).map(({ logicalKey, sizeBytes, hash }) => ({
      logicalKey,
      sizeBytes,
      hash,
    }));
    return { name: parsed.name, topHash, entries };
  },
  print(result) {
    if ('packages' in result) {
      const rows = result.packages.map(({ name, revisions, latest }) => [
        name,
        latest?.slice(0, 12) ?? 'no latest',
        count(revisions, 'revision'),
      ]);
      return rows.length === 0 ? 'no packages' : columns(rows);
    }
    const rows = result.entries.map(({ sizeBytes, logicalKey }) => [
      formatBytes(sizeBytes).padStart(8),
      logicalKey,
    ]);
    return columns(rows);
  },
});
