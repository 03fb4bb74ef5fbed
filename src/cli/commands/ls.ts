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

interface Listed {
  readonly logicalKey: string;
  readonly sizeBytes: number;
}

const LINES_AT_ONCE = 1000;

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
    const selected = paths.length === 0 ? pkg.entries : selectEntries(pkg, paths);
    const head = { name: parsed.name, topHash };
    if (context.printLine === undefined) {
      const entries = Array.from(selected, ({ logicalKey, sizeBytes, hash }) => ({
        logicalKey,
        sizeBytes,
        hash,
      }));
      return { ...head, entries };
    }
    for (const lines of batches(selected)) context.printLine(lines);
    return head;
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
    return '';
  },
});

/** The lines of entries, many at once: a package may have a million. */
function* batches(entries: Iterable<Listed>): Generator<string> {
  let lines: string[] = [];
  for (const { sizeBytes, logicalKey } of entries) {
    lines.push(`${formatBytes(sizeBytes).padStart(8)}  ${logicalKey}`);
    if (lines.length < LINES_AT_ONCE) continue;
    yield lines.join('\n');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('\n');
}
