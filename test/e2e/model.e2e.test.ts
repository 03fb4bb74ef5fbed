/** A package with a model: built, stopped, gone on with, changed; always the same bits. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson, startCli } from '../support/cli.ts';
import { copySample, SAMPLE_NAME, TINY_MODEL, withModel } from '../support/sample-models.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface BuildDocument {
  readonly topHash: string;
  readonly steps: readonly { readonly name: string; readonly cached: boolean }[];
}

const storeOf = (manifest: string) => ['--store', join(dirname(manifest), 'store')];

const build = async (manifest: string, extra: readonly string[] = []) =>
  await runJson<BuildDocument>(['build', manifest, ...storeOf(manifest), ...extra]);

const tiny = (text: string) => withModel(text, TINY_MODEL);

const done = ({ steps }: BuildDocument) =>
  steps.filter(({ cached }) => !cached).map(({ name }) => name);

/** More epochs than it takes to stop it in the middle. */
const long = (text: string) =>
  text.replace('epochs: 16', 'epochs: 24').replace(/\n.*earlyStopping:.*/, '');

describe('a package with a model', () => {
  let manifest: string;
  let built: BuildDocument;
  beforeAll(async () => {
    manifest = await copySample();
    built = await build(manifest);
  });

  it.each([1, 3, 4])('has the same top hash with %i threads', async (threads) => {
    const copy = await copySample();
    const other = await build(copy, ['--concurrency', String(threads)]);
    expect(other.topHash).toBe(built.topHash);
  });

  it('is trained and judged again, and nothing else is done, for another learning rate', async () => {
    const text = await readFile(manifest, 'utf8');
    const copy = await copySample();
    await build(copy);
    await writeFile(copy, text.replace('learningRate: 0.0005', 'learningRate: 0.001'));
    const again = await build(copy, ['--update']);
    expect(done(again)).toEqual(['train', 'evaluate']);
    expect(again.topHash).not.toBe(built.topHash);
    await writeFile(copy, text);
    const back = await build(copy, ['--update']);
    expect(done(back)).toEqual([]);
    expect(back.topHash).toBe(built.topHash);
  });

  it('states at each file of its model which data it was made of', async () => {
    const folder = await temporaryFolder();
    const registry = ['--registry', join(folder, 'registry')];
    await runJson(['push', SAMPLE_NAME, ...storeOf(manifest), ...registry]);
    const list = join(folder, 'registry', '.quilt', 'packages', built.topHash);
    const entries = (await readFile(list, 'utf8'))
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as { logical_key: string; meta: { pkg: { data?: string } } });
    const models = entries.filter(({ logical_key: key }) => key.startsWith('models/'));
    expect(models.map(({ logical_key: key }) => key)).toEqual(
      expect.arrayContaining(['models/model.json', 'models/weights.bin', 'models/clf.h5']),
    );
    const data = new Set(models.map(({ meta }) => meta.pkg.data));
    expect([...data]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(entries.filter(({ meta }) => meta.pkg.data !== undefined)).toEqual(models);
  });
});

describe('a training that is stopped', () => {
  let undisturbed: BuildDocument;
  beforeAll(async () => {
    undisturbed = await build(await copySample(long));
  });

  it.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('by %s goes on after its last epoch, to the same bits', async (signal, exitCode) => {
    const manifest = await copySample(long);
    const child = startCli(['build', manifest, ...storeOf(manifest), '--verbose']);
    let stderr = '';
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stderr?.on('data', (chunk: Buffer) => {
      const before = stderr;
      stderr += chunk.toString('utf8');
      if (stderr.includes('epoch 5/') && !before.includes('epoch 5/')) child.kill(signal);
    });
    expect(await ended).toBe(exitCode);
    expect(stderr).not.toContain('epoch 24/24');
    const again = await runCli(['build', manifest, ...storeOf(manifest), '--verbose']);
    expect(again.stderr).toMatch(/training goes on after epoch \d+/);
    expect(again.stderr).not.toContain('epoch 4/24');
    expect(again.stdout).toContain(`top hash ${undisturbed.topHash}`);
  });
});

describe('a model that does not fit', () => {
  const refuse = async (edit: (text: string) => string) => {
    const manifest = await copySample(edit);
    return await runCli(['build', manifest, ...storeOf(manifest)]);
  };

  it.each([
    [
      'another number of outputs',
      'units: 1, activation: sigmoid',
      'units: 5, activation: softmax',
      /5 outputs.*2 classes/,
    ],
    [
      'a loss without its activation',
      'units: 1, activation: sigmoid',
      'units: 2, activation: linear',
      /categoricalCrossentropy takes a dense layer of softmax/,
    ],
    [
      'a kernel the engine has not',
      'kernelSize: 3',
      'kernelSize: 7',
      /kernelSize: the deterministic engine has no 7 here/,
    ],
    [
      'a window larger than its input',
      'maxPooling2d',
      'maxPooling2d: { poolSize: 60 }',
      /window of 60 does not fit/,
    ],
    [
      'a class nobody has',
      'batchSize: 8',
      'batchSize: 8, classWeights: { Pizza: 2 }',
      /no class "Pizza"/,
    ],
  ])('such as %s is refused in one sentence with its place', async (_, from, to, message) => {
    const { exitCode, stderr } = await refuse((text) => tiny(text).replace(from, to));
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/sample\.yaml:\d+:\d+/);
    expect(exitCode).toBe(10);
  });

  it('ends where a number stops being finite, with iteration and layer', async () => {
    const { exitCode, stderr } = await refuse((text) =>
      tiny(text)
        .replace('activation: relu', 'activation: linear')
        .replace('optimizer: adam', 'optimizer: { sgd: { learningRate: 1.0e+30 } }'),
    );
    expect(stderr).toMatch(
      /iteration \d+ gave a number that is not finite in layer (conv2d|dense)/,
    );
    expect(exitCode).toBe(10);
  });

  it('is trained by TensorFlow.js where it asks for that, and reproduced to the bit on this machine', async () => {
    const manifest = await copySample((text) =>
      tiny(text).replace('model:\n', 'model:\n  engine: tensorflow\n'),
    );
    const built = await build(manifest);
    const registry = ['--registry', join(dirname(manifest), 'registry')];
    await runJson(['push', SAMPLE_NAME, ...storeOf(manifest), ...registry]);
    const fresh = ['--store', join(dirname(manifest), 'fresh')];
    const outcome = await runJson<{ rebuilt: string }>([
      ...['reproduce', SAMPLE_NAME, ...registry, ...fresh],
    ]);
    expect(outcome.rebuilt).toBe(built.topHash);
    const installed = join(dirname(manifest), 'installed');
    await runJson(['install', SAMPLE_NAME, 'README.md', ...registry, '--dest', installed]);
    const card = await readFile(join(installed, 'README.md'), 'utf8');
    expect(card).toContain('the same within a tolerance');
    expect(card).not.toContain('replay.json');
  });
});
