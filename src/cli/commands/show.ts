/** `pkg show`: what a revision is, and what is said of it. */
import { join } from 'node:path';
import { z } from 'zod';
import { aboutRevision, parseReference, readTrust } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { printRevision } from '../revision-text.ts';

export const showCommand = defineCommand({
  positionals: [['<reference>', 'user/name, user/name:tag or user/name@<top hash>']],
  options: REGISTRY_OPTIONS,
  schema: z.object({ reference: z.string() }),
  async run(context, { reference }) {
    const parsed = parseReference(reference);
    const registry = await context.openRegistry('read');
    const policy = await readTrust(join(context.configFolder, 'trust.json'));
    const report = await aboutRevision(registry, parsed, policy);
    return { ...report, header: plainJson(report.header) };
  },
  print: printRevision,
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
