/** `pkg verify`: files, or a registry's objects, against the package they should be. */
import { z } from 'zod';
import {
  entriesBelow,
  type Finding,
  parseReference,
  readInstallation,
  readPackage,
  resolveReference,
  verifyFiles,
  verifyObjects,
} from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { columns, count } from '../text.ts';

/** Integrity: bytes differ from their digest. */
const EXIT_INTEGRITY = 13;

export const verifyCommand = defineCommand({
  positionals: [['<subject>', 'a folder, or with --registry a reference']],
  options: REGISTRY_OPTIONS,
  schema: z.object({ subject: z.string() }),
  async run(context, { subject }) {
    const { name, topHash, checks, checked } = context.registryGiven
      ? await registryChecks(context, subject)
      : await folderChecks(context, subject);
    const findings: Finding[] = [];
    for await (const finding of checks) findings.push(finding);
    return { name, topHash, ok: findings.length === 0, checked, findings };
  },
  print({ name, topHash, checked, findings }) {
    const of = `${name}@${topHash.slice(0, 12)}`;
    if (findings.length === 0) return `${of}: ${count(checked, 'file')}, all as they should be`;
    return `${columns(findings.map(({ kind, logicalKey }) => [kind, logicalKey]))}\n${of}: ${count(findings.length, 'finding')}`;
  },
  exitCode: ({ ok }) => (ok ? 0 : EXIT_INTEGRITY),
});

async function folderChecks({ runtime }: CommandContext, folder: string) {
  const { name, topHash, pkg, paths } = await readInstallation(folder);
  const entries = entriesBelow(pkg, paths);
  return { name, topHash, checked: entries.length, checks: verifyFiles(runtime, entries, folder) };
}

async function registryChecks(context: CommandContext, subject: string) {
  const reference = parseReference(subject);
  const registry = await context.openRegistry('read');
  const topHash = await resolveReference(registry, reference);
  const { entries } = await readPackage(registry, topHash);
  const checks = verifyObjects(context.runtime, registry, entries);
  return { name: reference.name, topHash, checked: entries.length, checks };
}
