/** Model code in a folder, run in a real sandbox. */
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CodeLimits, DEFAULT_LIMITS } from '../../src/sandbox/limits.ts';
import {
  createModel,
  type ModelContext,
  type ModelProcess,
} from '../../src/sandbox/model-process.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

export const INPUT = { heightPx: 8, widthPx: 6 };
export const SHAPE: readonly [number, number, number] = [8, 6, 3];

/** A network so small that it costs nothing. */
export const SMALL_MODEL = `
exports.createModel = (tf, { inputShape, classes }) =>
  tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape }),
      tf.layers.dense({ units: classes.length, activation: 'softmax' }),
    ],
  });
`;

const SGD = { kind: 'sgd', momentum: 0, nesterov: false };

export interface CodeRun {
  readonly optimizer?: object;
  readonly files: Readonly<Record<string, string>>;
  readonly entry?: string;
  readonly params?: unknown;
  readonly limits?: Partial<CodeLimits>;
  readonly runtime?: ReturnType<typeof testRuntime>;
  readonly seed?: readonly [number, number, number, number];
  /** Whether only what Node does keeps the code in; else the system helps. */
  readonly walls?: 'all' | 'node';
}

/** Writes files into a fresh folder, whose path has no links. */
export async function codeFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await realpath(await temporaryFolder());
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** Makes a model of code and hands it to `use`. */
export async function withModel<Result>(
  {
    files,
    entry = 'model.js',
    params,
    limits,
    runtime = testRuntime(),
    seed,
    walls,
    optimizer = SGD,
  }: CodeRun,
  use: (model: ModelProcess, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await codeFolder(files);
  const all = { ...DEFAULT_LIMITS, ...limits };
  const sandbox = await openSandbox(
    runtime,
    { ...{ name: entry, folder, limits: all }, seed: seed ?? [1, 2, 3, 4] },
    walls === 'node' ? { command: [], hasNoNetwork: false } : undefined,
  );
  try {
    const context: ModelContext = { sandbox, limits: all, name: entry, folder };
    const source = {
      kind: 'entry',
      entry: join(folder, entry),
      classes: ['A', 'B', 'C'],
      params: typeof params === 'object' ? { folder, ...params } : params,
    } as const;
    return await use(await createModel(context, { source, input: INPUT, optimizer }), folder);
  } finally {
    await sandbox.close();
  }
}

/** What becomes of code whose `createModel` does this before it makes a model. */
export async function attack(body: string, options: Omit<CodeRun, 'files'> = {}): Promise<unknown> {
  const files = {
    'model.mjs': `
export async function createModel(tf, { inputShape }) {
  ${body}
  return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ units: 3, activation: 'softmax' })] });
}`,
  };
  try {
    return await withModel({ entry: 'model.mjs', ...options, files }, (model) =>
      Promise.resolve(model.kind),
    );
  } catch (error) {
    return error;
  }
}
