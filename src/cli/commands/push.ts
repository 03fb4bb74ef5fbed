/** `pkg push`: a built package, or a folder, into a registry. */
import { z } from 'zod';
import {
  applyRegistryWorkflow,
  type Parent,
  PkgError,
  type PushResult,
  parseParent,
  parseReference,
  pushPackage,
  requireTag,
  writeBuildRecord,
  writeLineage,
  writeSignature,
} from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { findPushed } from '../find-pushed.ts';
import { signingKey } from '../signing-key.ts';
import { count, formatBytes } from '../text.ts';

export const pushCommand = defineCommand({
  positionals: [['<reference>', 'user/name, or user/name@<top hash> for an earlier build']],
  options: [
    ['--dir <folder>', 'push the files of a folder instead of a build'],
    ['--tag <tag>', 'also give the revision this name'],
    ['--parent <top hash>', 'only on top of this revision ("none": only as the first)'],
    ['--force', 'on top of whatever is latest by then; nothing leaves the history'],
    ['--sign [key]', 'sign it with a key of pkg keys, or a file (default: the key "default")'],
    ['--message <text>', 'what the revision is, for a folder; it is part of the top hash'],
    ['--workflow <id>', 'the workflow of the registry to obey (default: its default)'],
    ['--no-workflow', 'obey none, where the registry allows it'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    reference: z.string(),
    dir: z.string().optional(),
    tag: z.string().optional(),
    parent: z.string().optional(),
    force: z.boolean().default(false),
    sign: z.union([z.string(), z.literal(true)]).optional(),
    message: z.string().optional(),
    workflow: z.union([z.string(), z.literal(false)]).optional(),
  }),
  async run(context, flags) {
    const { name } = parseReference(flags.reference);
    const key = flags.sign === undefined ? undefined : await signingKey(context, flags.sign);
    const store = await context.openStore();
    const { pkg: found, open, record } = await findPushed(context, store, flags);
    const registry = await context.openRegistry('write');
    const workflow = flags.workflow === false ? null : flags.workflow;
    const pkg = await applyRegistryWorkflow(registry, found, { name, workflow });
    const result = await pushPackage(context.runtime, registry, pkg, {
      ...{ name, open, cache: store },
      tag: flags.tag === undefined ? undefined : requireTag(flags.tag),
      parent: parentOf(flags),
      async describe(topHash) {
        await writeLineage(registry, topHash, pkg, open);
        if (record === undefined) return;
        await writeBuildRecord(registry, { name, topHash }, record, key === undefined ? [] : [key]);
      },
      ...(key === undefined
        ? {}
        : { attest: (topHash) => writeSignature(registry, { name, topHash }, pkg, [key]) }),
    });
    return { ...result, requests: registry.requests, sentBytes: registry.sentBytes };
  },
  print: (result: PushResult) =>
    `Pushed ${result.name}: ${count(result.uploaded, 'object')} sent, ` +
    `${String(result.reused)} there already; ${formatBytes(result.sentBytes)} in ` +
    `${count(result.requests, 'request')}.\ntop hash ${result.topHash}`,
});

function parentOf({ force, parent }: { force: boolean; parent?: string | undefined }): Parent {
  if (force && parent !== undefined) {
    throw new PkgError('usage', '--force and --parent exclude each other');
  }
  if (force) return { kind: 'any' };
  return parent === undefined ? { kind: 'as-found' } : parseParent(parent);
}
