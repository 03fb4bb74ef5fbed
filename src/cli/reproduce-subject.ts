/** What `pkg reproduce` is about, where it does it, and the receipt it leaves. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EnvironmentHere,
  findSigningKey,
  type OpenedPackage,
  openInstalled,
  openRevision,
  PkgError,
  parseReference,
  type Reproduction,
  type Storage,
  writeReceipt,
} from '../index.ts';
import type { CommandContext } from './command.ts';
import { hostFacts, TOOL } from './host.ts';

/** The name under which pkg keys makes a key where none is given. */
const DEFAULT_KEY = 'default';

/** An existing folder, unless --registry is given; else a revision in the registry. */
export async function subjectOf(
  context: CommandContext,
  subject: string,
): Promise<{ readonly opened: OpenedPackage; readonly registry: Storage | undefined }> {
  if (!context.registryGiven && (await isFolder(subject))) {
    return { opened: await openInstalled(subject), registry: undefined };
  }
  if (/^[./~]|[/\\]$/.test(subject)) {
    throw new PkgError('not-found', `there is no folder ${subject}`, {
      hint: 'Give the folder of an installed package, or a reference: user/name@<top hash>',
    });
  }
  const reference = parseReference(subject);
  const registry = await context.openRegistry('read');
  return { opened: await openRevision(context.runtime, registry, reference), registry };
}

/** This machine, as an environment is compared with it. */
export function environmentHere(): EnvironmentHere {
  return { node: process.versions.node, openFile: undefined };
}

/** Signs what came of it, and puts that beside the revision. */
export async function signOutcome(
  context: CommandContext,
  registry: Storage | undefined,
  outcome: Reproduction,
  sign: string | true,
): Promise<void> {
  if (registry === undefined) {
    throw new PkgError('usage', '--sign needs the registry that the package is in', {
      hint: 'Name it with --registry, and the package by its reference.',
    });
  }
  const folder = join(context.configFolder, 'keys');
  const key = await findSigningKey(context.runtime, folder, sign === true ? DEFAULT_KEY : sign);
  const { name, topHash, scope, files, firstDifference, differences } = outcome;
  const { node, platform, arch } = hostFacts();
  const isSame = firstDifference === undefined;
  await writeReceipt(
    await context.openRegistry('write'),
    { name, topHash },
    {
      result: isSame ? 'same' : 'differs',
      ...(isSame ? {} : { firstDifference }),
      scope,
      entries: files.reduce((sum, { same }) => sum + same, differences.length),
      toolchainSame: outcome.toolchainSame,
      ...{ node, platform, arch, tool: TOOL },
    },
    key,
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
