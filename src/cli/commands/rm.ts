/** `pkg rm`: a revision, or a package with all of its revisions, leaves a registry. */
import { z } from 'zod';
import {
  PkgError,
  parseReference,
  type RemovalResult,
  removeName,
  removeRevision,
} from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { count } from '../text.ts';

export const rmCommand = defineCommand({
  positionals: [['<reference>', 'user/name@<top hash>; with --all user/name']],
  options: [
    ['--all', 'remove the package: all revisions and tags'],
    ['--force', 'also a revision that has tags, and the tags with it'],
    ['--dry-run', 'only say what would go'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    reference: z.string(),
    all: z.boolean().default(false),
    force: z.boolean().default(false),
    dryRun: z.boolean().default(false),
  }),
  async run(context, { reference, all, force, dryRun }) {
    const parsed = parseReference(reference);
    if (all && reference !== parsed.name) {
      throw new PkgError('usage', `${reference} names one revision, and --all means all of them`, {
        hint: `Write pkg rm ${parsed.name} --all, or leave --all away.`,
      });
    }
    const mode = dryRun ? 'count' : 'remove';
    const registry = await context.openRegistry('read');
    if (all) return await removeName(registry, parsed.name, mode);
    return await removeRevision(context.runtime, registry, parsed, { force, mode });
  },
  print: ({ name, topHash, dryRun, pointers, latest }: RemovalResult) => {
    const what = topHash === undefined ? name : `${name}@${topHash}`;
    const of = `${count(pointers.length, 'pointer')} (${pointers.join(', ')})`;
    return [
      `${what}: ${dryRun ? 'would remove' : 'removed'} ${of}.`,
      latest === undefined ? `${name} has no latest revision then.` : `latest is ${latest}.`,
      'Its data stays until: pkg registry sweep <registry> --delete',
    ].join('\n');
  },
});
