/** `pkg diff`: what differs between two revisions, two folders, or one of each. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import {
  comparePackages,
  folderSide,
  openRevision,
  PkgError,
  parseReference,
  revisionSide,
  type Side,
} from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { diffLines } from '../diff-lines.ts';

/** Of each kind of change, unless all are asked for by --json. */
const NAMES_SHOWN = 5;

export const diffCommand = defineCommand({
  positionals: [
    [
      '<a>',
      'an existing folder, whose files are taken as they are now; else user/name, user/name:tag or ' +
        'user/name@<top hash> in --registry (./a/b is always a folder)',
    ],
    ['<b>', 'likewise'],
  ],
  options: REGISTRY_OPTIONS,
  schema: z.object({ a: z.string(), b: z.string() }),
  async run(context, { a, b }) {
    const before = await openSide(context, a);
    const after = await openSide(context, b);
    const maxNames = context.printLine === undefined ? Number.POSITIVE_INFINITY : NAMES_SHOWN;
    return await comparePackages(context.runtime, before, after, { maxNames });
  },
  print: (comparison) => diffLines(comparison).join('\n'),
});

async function openSide(context: CommandContext, subject: string): Promise<Side> {
  if (await isFolder(subject)) return await folderSide(context.runtime, subject);
  if (/^[./~]|[/\\]$/.test(subject)) {
    throw new PkgError('not-found', `there is no folder ${subject}`, {
      hint: 'Give a folder, or a reference: user/name, user/name:tag or user/name@<top hash>',
    });
  }
  const reference = parseReference(subject);
  const registry = await context.openRegistry('read');
  return revisionSide(await openRevision(context.runtime, registry, reference));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
