/** `pkg build`: a manifest made into a package in the store. */
import { z } from 'zod';
import { type BuildResult, buildPackage, nowhereElse, objectSource } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { pipelineOf } from '../pipeline-context.ts';
import { columns, count, formatBytes, formatSeconds, tallies } from '../text.ts';

/** Done, but images are missing and the manifest says `missing: fail`. */
const EXIT_INCOMPLETE = 3;

export const buildCommand = defineCommand({
  positionals: [['<manifest>', 'the YAML recipe']],
  options: [
    ['--update', 'renew the lockfile first'],
    ['--refetch', 'ask again for photos that could not be had'],
    ['--explain', 'say why each step ran or did not'],
    ['--without <name...>', 'as it would be without this ImageID or author; the lockfile stays'],
    ['--allow-dirty', 'pin a work tree with changes that no commit has, and say so'],
    ['--allow-code', 'run the code that model.entry names, shut off from files and network'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    manifest: z.string(),
    update: z.boolean().default(false),
    refetch: z.boolean().default(false),
    explain: z.boolean().default(false),
    without: z.array(z.string()).default([]),
    allowDirty: z.boolean().default(false),
    allowCode: z.boolean().default(false),
  }),
  async run(context, { manifest, update, refetch, explain, without, allowDirty, allowCode }) {
    const pipeline = await pipelineOf(context);
    const elsewhere = context.registryGiven
      ? objectSource(context.runtime, await context.openRegistry('read'), pipeline.store)
      : nowhereElse;
    const { explanations, ...result } = await buildPackage(pipeline, manifest, {
      lock: { mode: update ? 'update' : 'keep', dirty: allowDirty ? 'record' : 'refuse' },
      code: allowCode ? 'run' : 'refuse',
      ...{ refetch, without, elsewhere },
    });
    return explain ? { ...result, explanations } : result;
  },
  print: (result: Omit<BuildResult, 'explanations'> & { explanations?: readonly string[] }) =>
    [
      `${result.name}: ${count(result.entries, 'file')}, ${formatBytes(result.sizeBytes)}`,
      `images  selected ${String(result.images.selected)}: ${tallies(withoutTotal(result.images))}`,
      `crops   written ${String(result.crops.written)}${skipped(result.crops.skipped)}`,
      columns(
        result.steps.map(({ name, cached, seconds }) => [
          'step',
          name,
          cached ? 'cached' : formatSeconds(seconds),
        ]),
      ),
      ...(result.explanations ?? []),
      `top hash ${result.topHash}`,
    ].join('\n'),
  exitCode: (result) => (result.incomplete ? EXIT_INCOMPLETE : 0),
});

function withoutTotal(images: BuildResult['images']): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(images).filter(([name]) => name !== 'selected'));
}

function skipped(reasons: Readonly<Record<string, number>>): string {
  const words = tallies(reasons);
  return words === '' ? '' : `, without one: ${words}`;
}
