/** A package whose model is made by code: refused, allowed, and the same wherever it is built again. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { copySample, SAMPLE_NAME, withModel } from '../support/sample-models.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MODEL = `code: { repository: . }
model:
  engine: tensorflow
  input: { widthPx: 24, heightPx: 24 }
  entry: net/model.mjs
  params: { filters: 4 }
  augment: { rotationDegrees: 20, horizontalFlip: true }
  fit: { batchSize: 8, epochs: 2, optimizer: { adam: { learningRate: 0.01 } } }
`;

/** A layer that the deterministic engine has not. */
const CODE = `
export function createModel(tf, { inputShape, classes, params }) {
  const input = tf.input({ shape: inputShape });
  const features = tf.layers
    .separableConv2d({ filters: params.filters, kernelSize: 3, activation: 'relu' })
    .apply(input);
  const vector = tf.layers.globalMaxPooling2d({}).apply(features);
  const outputs = tf.layers.dense({ units: classes.length, activation: 'softmax' }).apply(vector);
  return tf.model({ inputs: input, outputs });
}
`;

/** Writes code beside a manifest and commits both. */
async function commit(manifest: string, code: string): Promise<string> {
  const folder = dirname(manifest);
  await mkdir(join(folder, 'net'), { recursive: true });
  await writeFile(join(folder, 'net', 'model.mjs'), code);
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'model');
  return git('rev-parse', 'HEAD').trim();
}

const build = async (manifest: string, ...flags: readonly string[]) =>
  await runCli(['build', manifest, '--store', await temporaryFolder(), '--json', ...flags]);

describe('a package whose model is made by code', () => {
  let manifest: string;
  let head: string;
  beforeAll(async () => {
    manifest = await copySample((text) => withModel(text, MODEL));
    head = await commit(manifest, CODE);
  });

  it('is not built unless its code may run', async () => {
    const { exitCode, stderr } = await build(manifest);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('net/model.mjs');
    expect(stderr).toContain(head.slice(0, 12));
    expect(stderr).toContain('--allow-code');
  });

  it('has the same top hash in another store, and says how good it is', async () => {
    const store = ['--store', await temporaryFolder()];
    const built = await runJson<{ topHash: string }>(['build', manifest, ...store, '--allow-code']);
    const again = await build(manifest, '--allow-code');
    expect(JSON.parse(again.stdout)).toMatchObject({ topHash: built.topHash });
    const registry = join(await temporaryFolder(), 'registry');
    await runJson(['push', SAMPLE_NAME, ...store, '--registry', registry]);
    const list = await readFile(join(registry, '.quilt', 'packages', built.topHash), 'utf8');
    for (const name of ['model.json', 'weights.bin', 'evaluation.json', 'predictions.csv']) {
      expect(list).toContain(`"models/${name}"`);
    }
    expect(list).not.toContain('clf.h5');
  });

  it('names the code that is wrong, and ends with 10', async () => {
    const broken = await copySample((text) => withModel(text, MODEL));
    await commit(broken, 'export const createModel = (tf) => tf.layers.unknown();');
    const { exitCode, stderr } = await build(broken, '--allow-code');
    expect(exitCode).toBe(10);
    expect(stderr).toContain('net/model.mjs failed (net/model.mjs:1): TypeError');
  });
});
