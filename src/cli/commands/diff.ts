/** `pkg diff`: what differs between two revisions, two folders, one of each, or two lockfiles. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import {
  type Comparison,
  compareLockfiles,
  comparePackages,
  folderSide,
  isLockfilePath,
  type LockComparison,
  PkgError,
  revisionSide,
  type Side,
} from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { diffLines } from '../diff-lines.ts';
import { isFolder } from '../is-folder.ts';
import { lockDiffLines } from '../lock-diff-lines.ts';
import { openAnywhere } from '../open-anywhere.ts';

/** Of each kind of change, unless all are asked for by --json. */
const NAMES_SHOWN = 5;

export const diffCommand = defineCommand<{ a: string; b: string }, Comparison | LockComparison>({
  positionals: [
    [
      '<a>',
      'an existing folder, whose files are taken as they are now; else user/name, user/name:tag or ' +
        'user/name@<top hash> in --registry, or a build (./a/b is always a folder); or a lockfile, or its ' +
        'manifest',
    ],
    ['<b>', 'likewise; a lockfile or manifest beside a lockfile or manifest'],
  ],
  options: REGISTRY_OPTIONS,
  schema: z.object({ a: z.string(), b: z.string() }),
  async run(context, { a, b }) {
    const [isFileA, isFileB] = [await isFile(a), await isFile(b)];
    if (isFileA && isFileB) return await compareLockfiles(a, b);
    if (isFileA || isFileB) {
      throw new PkgError('usage', `${isFileA ? a : b} is a file and ${isFileA ? b : a} is not`, {
        hint: 'Compare two lockfiles, or two of: folder, user/name, user/name:tag, user/name@<top hash>',
      });
    }
    const before = await openSide(context, a);
    const after = await openSide(context, b);
    const maxNames = context.printLine === undefined ? Number.POSITIVE_INFINITY : NAMES_SHOWN;
    return await comparePackages(context.runtime, before, after, { maxNames });
  },
  print: (result) => ('changes' in result ? lockDiffLines(result) : diffLines(result)).join('\n'),
});

async function openSide(context: CommandContext, subject: string): Promise<Side> {
  if (await isFolder(subject)) return await folderSide(context.runtime, subject);
  if (/^[./~]|[/\\]$/.test(subject)) {
    throw new PkgError('not-found', `there is no folder ${subject}`, {
      hint: 'Give a folder, or a reference: user/name, user/name:tag or user/name@<top hash>',
    });
  }
  return revisionSide(await openAnywhere(context, subject));
}

/** Whether a lockfile is meant: a file that is there, or would be one by its name. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return isLockfilePath(path);
  }
}
