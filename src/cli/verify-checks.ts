/** What `pkg verify` can check. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkFile,
  checkProvenFile,
  type Finding,
  installedEntries,
  keysFor,
  PkgError,
  parseProvenFile,
  parseReference,
  type RegistryFinding,
  readInstallation,
  readPackage,
  readTrust,
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

/** One file against the proof that came with it; no registry is asked. */
export async function proofChecks(
  context: CommandContext,
  file: string,
  proofFile: string,
): Promise<Checks> {
  const text = await readFile(proofFile, 'utf8').catch((error: unknown) => {
    throw new PkgError('not-found', `there is no proof ${proofFile}`, { cause: error });
  });
  const proven = parseProvenFile(text, proofFile);
  const { name, topHash } = proven.proof;
  const trust = await readTrust(join(context.configFolder, 'trust.json'));
  const registry = context.registryGiven ? (await context.openRegistry('read')).url : '*';
  const { entry } = checkProvenFile(proven, keysFor(trust, registry, name));
  const state = await checkFile(context.runtime, entry, file);
  const findings: Finding[] =
    state === 'same' ? [] : [{ logicalKey: entry.logicalKey, kind: state }];
  return { of: { name, topHash }, checked: 1, checks: inTurn(findings) };
}

async function* inTurn(findings: readonly Finding[]): AsyncGenerator<Finding> {
  yield* await Promise.resolve(findings);
}
