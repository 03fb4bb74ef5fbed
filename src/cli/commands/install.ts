/** `pkg install`: a package out of a registry into a folder. */
import { join } from 'node:path';
import { z } from 'zod';
import {
  installPackage,
  LINK_MODES,
  PkgError,
  parseReference,
  planPackage,
  readTrust,
  type Store,
  signatureCheck,
} from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { printInstalled, printPlan } from '../install-text.ts';

const schema = z.object({
  reference: z.string(),
  paths: z.array(z.string()).default([]),
  include: z.array(z.string()).default([]),
  exclude: z.array(z.string()).default([]),
  dest: z.string().optional(),
  force: z.boolean().default(false),
  offline: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  link: z.enum(LINK_MODES).default('auto'),
  requireSignature: z.boolean().default(false),
});

export const installCommand = defineCommand({
  positionals: [
    ['<reference>', 'user/name, user/name:tag or user/name@<top hash>'],
    ['[paths...]', 'only these files or folders of the package'],
  ],
  options: [
    ['--dest <folder>', 'where to (default: a folder of the package name)'],
    ['--include <glob...>', "only files that fit, such as '*.csv' or 'images/**'"],
    ['--exclude <glob...>', 'none of the files that fit'],
    ['--force', 'overwrite other files and local changes'],
    ['--offline', 'ask no registry: take revision and files from the folder and the store'],
    ['--dry-run', 'say what would be fetched, kept and removed; write nothing'],
    ['--link <how>', 'auto, reflink, hard (files are read-only, one with the store) or copy'],
    ['--require-signature', 'refuse what no key of pkg trust has signed'],
    ...REGISTRY_OPTIONS,
  ],
  schema,
  async run(context, flags) {
    const work = await workOf(context, flags);
    if (!flags.dryRun) return { ...(await installPackage(...work)), dest: work[3].folder };
    return { dryRun: true as const, ...(await planPackage(...work)), dest: work[3].folder };
  },
  print: (result) => ('dryRun' in result ? printPlan(result) : printInstalled(result)),
});

async function workOf(context: CommandContext, flags: z.infer<typeof schema>) {
  const { reference, paths, include, exclude, dest, force, offline, link } = flags;
  const parsed = parseReference(reference);
  const registry = await context.openRegistry('read');
  const options = {
    folder: dest ?? parsed.name.split('/')[1] ?? parsed.name,
    ...{ paths, include, exclude, offline, link },
    store: await openStoreIfPossible(context),
    foreignFiles: force ? ('overwrite' as const) : ('refuse' as const),
    check: signatureCheck(registry, await readTrust(join(context.configFolder, 'trust.json')), {
      when: flags.requireSignature ? 'always' : 'as-trusted',
      access: offline ? 'offline' : 'online',
    }),
  };
  return [context.runtime, registry, parsed, options] as const;
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
