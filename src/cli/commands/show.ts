/** `pkg show`: what a revision is. */
import { z } from 'zod';
import { packageSizeBytes, parseReference, readPackage, resolveReference } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { columns, count, formatBytes } from '../text.ts';

export const showCommand = defineCommand({
  positionals: [['<reference>', 'user/name, user/name:tag or user/name@<top hash>']],
  options: REGISTRY_OPTIONS,
  schema: z.object({ reference: z.string() }),
  async run(context, { reference }) {
    const { name, ...rest } = parseReference(reference);
    const registry = await context.openRegistry('read');
    const topHash = await resolveReference(registry, { name, ...rest });
    const pkg = await readPackage(registry, topHash);
    const folders = new Map<string, { files: number; sizeBytes: number }>();
    for (const { logicalKey, sizeBytes } of pkg.entries) {
      const folder = logicalKey.includes('/') ? `${logicalKey.split('/')[0] ?? ''}/` : '';
      const sum = folders.get(folder) ?? { files: 0, sizeBytes: 0 };
      folders.set(folder, { files: sum.files + 1, sizeBytes: sum.sizeBytes + sizeBytes });
    }
    return {
      name,
      topHash,
      registry: registry.url,
      header: plainJson(pkg.header),
      entries: pkg.entries.length,
      sizeBytes: packageSizeBytes(pkg),
      folders: [...folders].map(([folder, sums]) => ({ folder, ...sums })),
    };
  },
  print: ({ name, topHash, registry, header, entries, sizeBytes, folders }) =>
    [
      `${name} in ${registry}`,
      `top hash ${topHash}`,
      JSON.stringify(header, null, 2),
      columns(
        folders.map(({ folder, files, sizeBytes: size }) => [
          folder === '' ? '(top)' : folder,
          count(files, 'file'),
          formatBytes(size),
        ]),
      ),
      `${count(entries, 'file')}, ${formatBytes(sizeBytes)} in all`,
    ].join('\n'),
});

/** Lossless JSON as plain JSON for a person: maps as objects, integers as numbers where they fit. */
function plainJson(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, member]) => [key, plainJson(member)]));
  }
  if (Array.isArray(value)) return value.map(plainJson);
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
