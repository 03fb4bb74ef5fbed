/** `pkg git-merge`: the merge driver for lockfiles, which git calls. */
import { z } from 'zod';
import { type MergePaths, mergeLockfileFiles, PkgError } from '../../index.ts';
import { defineCommand } from '../command.ts';
import { DRIVER_LINES, type DriverPlaces, installDriver } from '../merge-driver.ts';

/** What was done: files merged, the driver installed, or nothing but telling how to. */
type Result = { readonly merged: string } | DriverPlaces | { readonly lines: readonly string[] };

const schema = z.object({
  base: z.string().optional(),
  ours: z.string().optional(),
  theirs: z.string().optional(),
  path: z.string().optional(),
  install: z.boolean().default(false),
});

export const gitMergeCommand = defineCommand<z.output<typeof schema>, Result>({
  positionals: [
    ['[base]', 'what both sides began with: %O'],
    ['[ours]', 'our side, which the result is written over: %A'],
    ['[theirs]', 'the other side: %B'],
    ['[path]', 'the name of the lockfile in messages: %P'],
  ],
  options: [['--install', 'let git merge the lockfiles of this repository by pkg from now on']],
  schema,
  async run(context, { install, ...paths }) {
    if (install) return await installDriver();
    const files = filesOf(paths);
    if (files === undefined) return { lines: DRIVER_LINES };
    const { name } = await mergeLockfileFiles(context.runtime, files);
    return { merged: name };
  },
  print(result) {
    if ('merged' in result) return '';
    if ('lines' in result) return result.lines.join('\n');
    return `git merges lockfiles by pkg now: see ${result.attributes}, and git config merge.pkg.driver`;
  },
});

function filesOf({
  base,
  ours,
  theirs,
  path,
}: Omit<z.output<typeof schema>, 'install'>): MergePaths | undefined {
  if (base === undefined) return undefined;
  if (ours !== undefined && theirs !== undefined) return { base, ours, theirs, name: path ?? ours };
  throw new PkgError('usage', 'a merge takes three files', {
    hint: 'git calls this command as: pkg git-merge -- %O %A %B %P',
  });
}
