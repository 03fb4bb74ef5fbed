/** `pkg lock`: every input of a manifest pinned. */
import { z } from 'zod';
import { lockManifest } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { formatBytes } from '../text.ts';

export const lockCommand = defineCommand({
  positionals: [['<manifest>', 'the YAML recipe']],
  options: [['--update', 'renew the lockfile, and say what drifted'], ...REGISTRY_OPTIONS.slice(1)],
  schema: z.object({ manifest: z.string(), update: z.boolean().default(false) }),
  async run(context, { manifest, update }) {
    const pipeline = { runtime: context.runtime, store: await context.openStore(), s3: context.s3 };
    const locked = await lockManifest(pipeline, manifest, update ? 'update' : 'keep');
    const { name, sources } = locked.lockfile;
    return { name, lockfile: locked.path, state: locked.state, drift: locked.drift, sources };
  },
  print({ lockfile, state, drift, sources }) {
    const words = { written: 'Wrote', renewed: 'Renewed', fresh: 'Up to date:' };
    const all = [sources.classes, ...sources.boxes, ...sources.images, sources.hierarchy];
    const lines = all.flatMap((source) =>
      source === undefined
        ? []
        : [`  ${source.digest.slice(0, 12)}  ${formatBytes(source.sizeBytes)}  ${source.url}`],
    );
    const drifted = drift.map((sentence) => `  drift: ${sentence}`);
    return [`${words[state]} ${lockfile}`, ...lines, ...drifted].join('\n');
  },
});
