/** `pkg reproduce`: a published package built again, or parts of its training, and compared. */
import { z } from 'zod';
import { PkgError, reproducePackage, spotCheck } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { pipelineOf } from '../pipeline-context.ts';
import { environmentHere, outcomeSigner, subjectOf } from '../reproduce-subject.ts';
import { printOutcome } from '../reproduction-text.ts';

/** Not reproduced. */
const EXIT_DIFFERS = 14;

export const reproduceCommand = defineCommand({
  positionals: [
    [
      '<package>',
      'a folder it is installed in, or user/name, user/name:tag or user/name@<top hash>',
    ],
  ],
  options: [
    ['--from-source', 'photos, tables and code from where they first came from; says what died'],
    ['--only <part>', 'data: build the data set again, and no model'],
    ['--tolerance <x>', 'take a model whose numbers are no further apart than this; says so'],
    ['--spot-check <n>', 'instead, do n random segments of the training again'],
    ['--allow-code', 'run the code that model.entry names, shut off from files and network'],
    ['--sign [key]', 'put a signed receipt of the outcome beside the package'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    package: z.string(),
    fromSource: z.boolean().default(false),
    only: z.literal('data', { error: 'expected data' }).optional(),
    tolerance: z.coerce.number().positive().optional(),
    spotCheck: z.coerce.number().int().min(1).optional(),
    allowCode: z.boolean().default(false),
    sign: z.union([z.string(), z.literal(true)]).optional(),
  }),
  async run(context, flags) {
    const { opened, registry } = await subjectOf(context, flags.package);
    if (flags.spotCheck !== undefined) {
      if (flags.sign !== undefined) throw NOTHING_TO_SIGN;
      return await spotCheck(context.runtime, await context.openStore(), opened, flags.spotCheck);
    }
    const sign =
      flags.sign === undefined ? undefined : await outcomeSigner(context, registry, flags.sign);
    const outcome = await reproducePackage(await pipelineOf(context), opened, {
      scope: flags.only ?? 'all',
      from: flags.fromSource ? 'source' : 'package',
      network: registry === undefined && !flags.fromSource ? 'offline' : 'online',
      code: flags.allowCode ? 'run' : 'refuse',
      tolerance: flags.tolerance,
      here: environmentHere(),
    });
    await sign?.(outcome);
    return outcome;
  },
  print: printOutcome,
  exitCode: (outcome) =>
    ('proved' in outcome ? outcome.proved : outcome.reproduced) ? 0 : EXIT_DIFFERS,
});

const NOTHING_TO_SIGN = new PkgError('usage', '--sign needs a whole reproduction', {
  hint: 'A spot check proves parts of a training; leave --spot-check out to build all again.',
});
