/** What `pkg reproduce` is about, where it does it, and the receipt it leaves. */
import {
  type EnvironmentHere,
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
import { isFolder } from './is-folder.ts';
import { signingKey } from './signing-key.ts';

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

/**
 * What signs an outcome and puts that beside the revision. Key and registry are found now, so that nothing is
 * lacking once hours of work are done.
 */
export async function outcomeSigner(
  context: CommandContext,
  registry: Storage | undefined,
  sign: string | true,
): Promise<(outcome: Reproduction) => Promise<void>> {
  if (registry === undefined) {
    throw new PkgError('usage', '--sign needs the registry that the package is in', {
      hint: 'Name it with --registry, and the package by its reference.',
    });
  }
  const key = await signingKey(context, sign);
  const target = await context.openRegistry('write');
  return async (outcome) => {
    const { name, topHash } = outcome;
    await writeReceipt(target, { name, topHash }, receiptOf(outcome), key);
  };
}

function receiptOf(outcome: Reproduction): Parameters<typeof writeReceipt>[2] {
  const { scope, files, firstDifference, differences, toolchainSame } = outcome;
  const { node, platform, arch } = hostFacts();
  return {
    ...(firstDifference === undefined
      ? { result: 'same' }
      : { result: 'differs', firstDifference }),
    scope,
    entries: files.reduce((sum, { same }) => sum + same, differences.length),
    ...{ toolchainSame, node, platform, arch, tool: TOOL },
  };
}
