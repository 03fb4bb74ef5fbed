/** `pkg lock`: every input of a manifest pinned. */
import { z } from 'zod';
import { type Lockfile, lockManifest } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { pipelineOf } from '../pipeline-context.ts';
import { formatBytes } from '../text.ts';

export const lockCommand = defineCommand({
  positionals: [['<manifest>', 'the YAML recipe']],
  options: [
    ['--update', 'renew the lockfile, and say what drifted'],
    ['--allow-dirty', 'pin a work tree with changes that no commit has, and say so'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    manifest: z.string(),
    update: z.boolean().default(false),
    allowDirty: z.boolean().default(false),
  }),
  async run(context, { manifest, update, allowDirty }) {
    const locked = await lockManifest(await pipelineOf(context), manifest, {
      mode: update ? 'update' : 'keep',
      dirty: allowDirty ? 'record' : 'refuse',
    });
    const { name, sources, bases, code, environment } = locked.lockfile;
    const pins = { sources, bases, code, environment };
    return { name, lockfile: locked.path, state: locked.state, drift: locked.drift, ...pins };
  },
  print({ lockfile, state, drift, ...pins }) {
    const words = { written: 'Wrote', renewed: 'Renewed', fresh: 'Up to date:' };
    const lines = [...pinLines(pins), ...drift.map((sentence) => `drift: ${sentence}`)];
    return [`${words[state]} ${lockfile}`, ...lines.map((line) => `  ${line}`)].join('\n');
  },
});

/** A line for each thing pinned: its digest or commit, and what it is. */
function pinLines({
  sources,
  bases = [],
  code,
  environment,
}: Pick<Lockfile, 'sources' | 'bases' | 'code' | 'environment'>): readonly string[] {
  const tables =
    sources === undefined
      ? []
      : [sources.classes, ...sources.boxes, ...sources.images, sources.hierarchy];
  const files = [environment?.lockfile, environment?.dockerfile];
  return [
    ...[...tables, ...files].flatMap((pinned) => {
      if (pinned === undefined) return [];
      const name = 'url' in pinned ? pinned.url : pinned.path;
      return [`${pinned.digest.slice(0, 12)}  ${formatBytes(pinned.sizeBytes)}  ${name}`];
    }),
    ...bases.map(({ use, name, topHash }) => `${topHash.slice(0, 12)}  ${use} of ${name}`),
    ...(code === undefined ? [] : [codeLine(code)]),
    ...(environment?.node === undefined ? [] : [`Node ${environment.node}`]),
  ];
}

function codeLine({ commit, repository, revision, dirty }: NonNullable<Lockfile['code']>): string {
  const changes = dirty === true ? ', with changes that no commit has' : '';
  return `${commit.slice(0, 12)}  ${repository} at ${revision}${changes}`;
}
