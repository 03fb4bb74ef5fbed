/** `pkg env check`: what differs here from the environment that a package was made in. */
import { z } from 'zod';
import { checkEnvironment } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { environmentSubject, fileReader } from '../environment-subject.ts';
import { columns, count } from '../text.ts';

/** Something differs, as where a package is not reproduced. */
const EXIT_DIFFERS = 14;

export const envCheckCommand = defineCommand({
  positionals: [
    ['<subject>', 'a manifest, a folder with a package in it, or with --registry a reference'],
  ],
  options: [
    ['--code <folder>', 'the code here (default: the repository that the manifest lies in)'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({ subject: z.string(), code: z.string().optional() }),
  async run(context, { subject, code }) {
    const { lockfile, openPinned, codeFolder, reach } = await environmentSubject(context, subject);
    const folder = code ?? codeFolder;
    const findings = await checkEnvironment(
      lockfile.environment ?? {},
      { engine: engineOf(lockfile.parameters['model']), openPinned },
      {
        node: process.versions.node,
        openFile: folder === undefined ? undefined : fileReader(folder, reach),
      },
    );
    return { name: lockfile.name, same: findings.every(({ same }) => same), findings };
  },
  print({ name, findings }) {
    if (findings.length === 0) return `${name}: nothing of its environment can be compared here`;
    const differing = findings.filter(({ same }) => !same).length;
    const rows = findings.map(({ same, sentence }) => [same ? 'same' : 'differs', sentence]);
    const verdict = differing === 0 ? 'all as pinned' : `${String(differing)} of them differ`;
    return `${columns(rows)}\n${name}: ${count(findings.length, 'thing')} compared, ${verdict}`;
  },
  exitCode: ({ same }) => (same ? 0 : EXIT_DIFFERS),
});

const modelSchema = z.object({ engine: z.enum(['deterministic', 'tensorflow']) });

function engineOf(model: unknown) {
  return modelSchema.safeParse(model).data?.engine;
}
