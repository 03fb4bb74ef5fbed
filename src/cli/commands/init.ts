/** `pkg init`: a manifest from a template. */
import { z } from 'zod';
import { type InitResult, initManifest } from '../../index.ts';
import { defineCommand } from '../command.ts';

export const initCommand = defineCommand({
  positionals: [['<name>', 'the package, as user/name']],
  options: [
    ['--template <name>', 'which template to begin from (default: image-classifier)'],
    ['--dir <folder>', 'where manifests/<name>.yaml goes (default: here)'],
  ],
  schema: z.object({
    name: z.string(),
    template: z.string().default('image-classifier'),
    dir: z.string().default('.'),
  }),
  run: (_context, { name, template, dir }) => initManifest(name, template, dir),
  print: (result: InitResult) =>
    `Wrote ${result.manifest} from the template ${result.template}.\n` +
    `Edit it, then build it with: pkg build ${result.manifest}`,
});
