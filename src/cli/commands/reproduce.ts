/** `pkg reproduce`: a package's work done again and compared. */
import { z } from 'zod';
import {
  openInstalled,
  openRevision,
  PkgError,
  parseReference,
  type SpotCheck,
  spotCheck,
} from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { columns, count } from '../text.ts';

/** Not reproduced. */
const EXIT_DIFFERS = 14;

export const reproduceCommand = defineCommand({
  positionals: [['<package>', 'a folder it is installed in, or with --registry a reference']],
  options: [
    ['--spot-check <n>', 'do n random segments of the training again'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    package: z.string(),
    spotCheck: z.coerce.number().int().min(1).optional(),
  }),
  async run(context, { package: subject, spotCheck: segments }) {
    if (segments === undefined) {
      throw new PkgError('usage', 'pkg reproduce needs --spot-check <n>', {
        hint: 'This version does segments of a training again; to rebuild all, use pkg build with the lockfile.',
      });
    }
    const { runtime } = context;
    const opened = context.registryGiven
      ? await openRevision(runtime, await context.openRegistry('read'), parseReference(subject))
      : await openInstalled(subject);
    return await spotCheck(runtime, await context.openStore(), opened, segments);
  },
  print: (result: SpotCheck) =>
    [
      columns(
        result.checked.map(({ from, to, verdict }) => [
          'iterations',
          `${String(from + 1)} to ${String(to)}`,
          verdict,
        ]),
      ),
      `weights  ${result.weights === 'unknown' ? 'not reached by these segments' : result.weights}`,
      ...result.findings,
      `${result.proved ? 'Proved' : 'Refuted'}: ${count(result.checked.length, 'segment')} of ` +
        `${String(result.segments)} done again, ${result.name}@${result.topHash}`,
    ].join('\n'),
  exitCode: ({ proved }) => (proved ? 0 : EXIT_DIFFERS),
});
