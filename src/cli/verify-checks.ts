/** What `pkg verify` can check. */
import {
  type Finding,
  installedEntries,
  parseReference,
  type RegistryFinding,
  readInstallation,
  readPackage,
  resolveReference,
  verifyFiles,
  verifyObjects,
  verifyRegistry,
} from '../index.ts';
import type { CommandContext } from './command.ts';

/** What is checked, and what is wrong with it, as that turns out. */
export interface Checks {
  readonly of: { readonly name: string; readonly topHash?: string };
  readonly checked?: number;
  readonly checks: AsyncIterable<Finding | RegistryFinding>;
}

export async function wholeRegistry(context: CommandContext): Promise<Checks> {
  const registry = await context.openRegistry('read');
  return { of: { name: registry.url }, checks: verifyRegistry(context.runtime, registry) };
}

export async function folderChecks({ runtime }: CommandContext, folder: string): Promise<Checks> {
  const installation = await readInstallation(folder);
  const { name, topHash } = installation;
  const entries = await installedEntries(installation);
  const checks = verifyFiles(runtime, entries, folder);
  return { of: { name, topHash }, checked: entries.length, checks };
}

export async function registryChecks(context: CommandContext, subject: string): Promise<Checks> {
  const { name, ...reference } = parseReference(subject);
  const registry = await context.openRegistry('read');
  const topHash = await resolveReference(registry, { name, ...reference });
  const { entries } = await readPackage(registry, topHash);
  const checks = verifyObjects(context.runtime, registry, entries, await context.openStore());
  return { of: { name, topHash }, checked: entries.length, checks };
}
