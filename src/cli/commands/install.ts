/** `pkg install`: a package out of a registry into a folder. */
import { installPackage, planPackage } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { installArguments, installSchema } from '../install-options.ts';
import { printInstalled, printPlan } from '../install-text.ts';

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
    ['--derive', 'cut crops out of photos here, where that moves fewer bytes than fetching them'],
    ['--dry-run', 'say what would be fetched, kept and removed; write nothing'],
    ['--link <how>', 'auto, reflink, hard (files are read-only, one with the store) or copy'],
    ['--require-signature', 'refuse what no key of pkg trust has signed'],
    ['--require-receipts <n>', 'refuse what fewer than n keys of pkg trust have built again'],
    ...REGISTRY_OPTIONS,
  ],
  schema: installSchema,
  async run(context, flags) {
    const work = await installArguments(context, flags);
    if (!flags.dryRun) return { ...(await installPackage(...work)), dest: work[3].folder };
    return { dryRun: true as const, ...(await planPackage(...work)), dest: work[3].folder };
  },
  print: (result) => ('dryRun' in result ? printPlan(result) : printInstalled(result)),
});
