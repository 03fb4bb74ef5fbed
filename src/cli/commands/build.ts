/** `pkg build`: a manifest made into a package in the store. */
import { z } from 'zod';
import { type BuildResult, buildPackage, nowhereElse, objectSource } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { columns, count, formatBytes, formatSeconds, tallies } from '../text.ts';

/** Done, but images are missing and the manifest says `missing: fail`. */
const EXIT_INCOMPLETE = 3;

export const buildCommand = defineCommand({
  positionals: [['<manifest>', 'the YAML recipe']],
  options: [
    ['--update', 'renew the lockfile first'],
    ['--refetch', 'ask again for photos that could not be had'],
    ['--explain', 'say why each step ran or did not'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    manifest: z.string(),
    update: z.boolean().default(false),
    refetch: z.boolean().default(false),
    explain: z.boolean().default(false),
  }),
  async run(context, { manifest, update, refetch, explain }) {
    const pipeline = { runtime: context.runtime, store: await context.openStore(), s3: context.s3 };
    const elsewhere = context.registryGiven
      ? objectSource(context.runtime, await context.openRegistry('read'), pipeline.store)
      : nowhereElse;
    const lock = update ? 'update' : 'keep';
    const { explanations, ...result } = await buildPackage(pipeline, manifest, {
      lock,
      refetch,
      elsewhere,
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
      ...result.unavailable.map((name) => `step  ${name}`),
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
