/** What `pkg install` is asked for, from its flags. */
import { join } from 'node:path';
import { z } from 'zod';
import {
  deriveCrops,
  LINK_MODES,
  PkgError,
  parseReference,
  readTrust,
  receiptCheck,
  type Storage,
  type Store,
  signatureCheck,
} from '../index.ts';
import type { CommandContext } from './command.ts';

/** The flags of `pkg install`. */
export const installSchema = z.object({
  reference: z.string(),
  paths: z.array(z.string()).default([]),
  include: z.array(z.string()).default([]),
  exclude: z.array(z.string()).default([]),
  dest: z.string().optional(),
  force: z.boolean().default(false),
  offline: z.boolean().default(false),
  derive: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  link: z.enum(LINK_MODES).default('auto'),
  requireSignature: z.boolean().default(false),
  requireReceipts: z.coerce.number().int().min(1).optional(),
});

export type InstallFlags = z.infer<typeof installSchema>;

/** The arguments of `installPackage` and `planPackage`. */
export async function installArguments(context: CommandContext, flags: InstallFlags) {
  const { reference, paths, include, exclude, dest, force, offline, link } = flags;
  const parsed = parseReference(reference);
  const registry = await context.openRegistry('read');
  const options = {
    folder: dest ?? parsed.name.split('/')[1] ?? parsed.name,
    ...{ paths, include, exclude, offline, link },
    store: await openStoreIfPossible(context),
    foreignFiles: force ? ('overwrite' as const) : ('refuse' as const),
    check: await checkOf(context, registry, flags),
    derive: flags.derive ? deriveCrops : undefined,
  };
  return [context.runtime, registry, parsed, options] as const;
}

/** What has to be vouched for before anything is installed. */
async function checkOf(
  context: CommandContext,
  registry: Storage,
  { offline, requireSignature, requireReceipts }: InstallFlags,
) {
  const policy = await readTrust(join(context.configFolder, 'trust.json'));
  const access = offline ? ('offline' as const) : ('online' as const);
  const when = requireSignature ? ('always' as const) : ('as-trusted' as const);
  const checkSigned = signatureCheck(registry, policy, { when, access });
  if (requireReceipts === undefined) return checkSigned;
  const checkReceipts = receiptCheck(registry, policy, { needed: requireReceipts, access });
  return async (found: Parameters<typeof checkSigned>[0]): Promise<void> => {
    await checkSigned(found);
    await checkReceipts(found);
  };
}

/** A package can be installed where no store can be, as for a user without a home. */
async function openStoreIfPossible(context: CommandContext): Promise<Store | undefined> {
  try {
    return await context.openStore();
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'storage') throw error;
    const message = `installing without a store: ${error.message}`;
    context.runtime.report({ kind: 'warned', message });
    return undefined;
  }
}
