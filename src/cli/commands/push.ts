/** `pkg push`: a built package, or a folder, into a registry. */
import { z } from 'zod';
import {
  fileBytes,
  findBuilt,
  PkgError,
  type PushResult,
  parseReference,
  pushPackage,
  readFolder,
} from '../../index.ts';
import { type CommandContext, defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { count } from '../text.ts';

export const pushCommand = defineCommand({
  positionals: [['<reference>', 'user/name, or user/name@<top hash> for an earlier build']],
  options: [
    ['--dir <folder>', 'push the files of a folder instead of a build'],
    ['--tag <tag>', 'also give the revision this name'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    reference: z.string(),
    dir: z.string().optional(),
    tag: z.string().optional(),
  }),
  async run(context, { reference, dir, tag }) {
    const { name, pkg, open } = await findSource(context, reference, dir);
    if (tag !== undefined && !/^[A-Za-z][A-Za-z0-9._-]*$/.test(tag)) {
      throw new PkgError(
        'usage',
        `"${tag}" is not a tag: it begins with a letter, then letters, digits, ".", "_" and "-"`,
      );
    }
    const registry = await context.openRegistry('write');
    return await pushPackage(context.runtime, registry, pkg, { name, open, tag });
  },
  print: (result: PushResult) =>
    `Pushed ${result.name}: ${count(result.uploaded, 'object')} sent, ` +
    `${String(result.reused)} there already, ${count(result.requests, 'request')}.\n` +
    `top hash ${result.topHash}`,
});

async function findSource(context: CommandContext, reference: string, dir: string | undefined) {
  const { name, revision } = parseReference(reference);
  const { signal } = context.runtime;
  if (dir !== undefined) {
    const { pkg, paths } = await readFolder(context.runtime, dir);
    const open: Parameters<typeof pushPackage>[3]['open'] = (digest, range) =>
      fileBytes(paths.get(digest) ?? '', signal, range);
    return { name, pkg, open };
  }
  const store = await context.openStore();
  const hash = revision.kind === 'hash' ? revision.prefix : undefined;
  const { pkg } = await findBuilt(store, name, hash);
  const open: Parameters<typeof pushPackage>[3]['open'] = (digest, range) =>
    fileBytes(store.path(digest), signal, range);
  return { name, pkg, open };
}
