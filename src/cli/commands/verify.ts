/** `pkg verify`: files against their package, or a registry's objects, or a registry as a whole. */
import { z } from 'zod';
import type { Finding, RegistryFinding } from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { EXIT_INTEGRITY, findingLines } from '../finding-lines.ts';
import { count } from '../text.ts';
import {
  type Checks,
  folderChecks,
  proofChecks,
  registryChecks,
  wholeRegistry,
} from '../verify-checks.ts';

export const verifyCommand = defineCommand({
  positionals: [['[subject]', 'a folder, or with --registry a reference; nothing: all of it']],
  options: [
    ['--proof <file>', 'the subject is a file, with this proof of it that pkg prove made'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ subject: z.string().optional(), proof: z.string().optional() }),
  async run(context, { subject, proof }) {
    const { of, checked, checks } = await checksOf(context, subject, proof);
    const findings: (Finding | RegistryFinding)[] = [];
    for await (const finding of checks) findings.push(finding);
    return {
      ...of,
      ok: findings.length === 0,
      ...(checked === undefined ? {} : { checked }),
      findings,
    };
  },
  print({ name, topHash, checked, findings }) {
    const of = topHash === undefined ? name : `${name}@${topHash.slice(0, 12)}`;
    if (findings.length > 0)
      return `${findingLines(findings)}\n${of}: ${count(findings.length, 'finding')}`;
    const what = checked === undefined ? 'everything' : `${count(checked, 'file')}, all`;
    return `${of}: ${what} as ${checked === undefined ? 'it' : 'they'} should be`;
  },
  exitCode: ({ ok }) => (ok ? 0 : EXIT_INTEGRITY),
});

async function checksOf(
  context: CommandContext,
  subject: string | undefined,
  proof: string | undefined,
): Promise<Checks> {
  if (subject === undefined) return await wholeRegistry(context);
  if (proof !== undefined) return await proofChecks(context, subject, proof);
  if (context.registryGiven) return await registryChecks(context, subject);
  return await folderChecks(context, subject);
}
