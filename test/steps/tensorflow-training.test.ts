/** Training by TensorFlow.js in a sandbox: layers of a manifest, and models made by code. */
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseTfjs } from '../../src/models/tfjs.ts';
import { readCsv } from '../../src/openimages/csv.ts';
import { evaluateClassifier } from '../../src/steps/evaluate.ts';
import { type CodeContext } from '../../src/steps/tensorflow-model.ts';
import { trainWithTensorflow } from '../../src/steps/tensorflow-training.ts';
import { HISTORY_COLUMNS } from '../../src/steps/train.ts';
import { streamOf } from '../../src/store/digest.ts';
import { type Store } from '../../src/store/store.ts';
import { entryAt, type Tree } from '../../src/store/tree.ts';
import { testRuntime } from '../support/runtime.ts';
import {
  CUSTOM,
  codeTree,
  colouredExamples,
  DENSE,
  FIT,
  type Fixture,
  failureOf,
  INPUT,
  open,
  paramsOf,
} from './training-fixture.ts';

async function train(
  fixture: Fixture,
  model: object,
  {
    files,
    classes = ['Apple', 'Orange', 'Pear'],
    count = 96,
  }: {
    readonly files?: Readonly<Record<string, string>>;
    readonly classes?: readonly string[];
    readonly count?: number;
  } = {},
) {
  const { store, context } = fixture;
  const examples = await colouredExamples(store, classes, count);
  const code = files === undefined ? {} : { code: await codeTree(store, files) };
  const outputs = await trainWithTensorflow(context, paramsOf(model), { examples, ...code });
  return { outputs, examples, files: outputs['model'] ?? [] };
}

async function historyOf(store: Store, files: Tree) {
  const bytes = await store.read(entryAt(files, 'models/history.csv').digest);
  const rows = [];
  for await (const row of readCsv(streamOf(bytes), HISTORY_COLUMNS)) rows.push(row);
  return rows;
}

const paths = (tree: Tree) => tree.map(({ path }) => path);

describe('training by TensorFlow.js', () => {
  it('trains what createModel makes: the loss falls and the classes are in order', async () => {
    const fixture = await open();
    const { store } = fixture;
    const { files, outputs } = await train(
      fixture,
      { entry: 'model.js' },
      { files: { 'model.js': DENSE } },
    );
    expect(paths(files)).toEqual([
      'models/clf.h5',
      'models/history.csv',
      'models/model.json',
      'models/weights.bin',
    ]);
    const history = await historyOf(store, files);
    expect(history).toHaveLength(FIT.epochs);
    expect(Number(history.at(-1)?.loss)).toBeLessThan(0.5 * Number(history[0]?.loss));
    expect(Number(history.at(-1)?.val_accuracy)).toBe(1);
    const json = await store.readText(entryAt(files, 'models/model.json').digest);
    const weights = await store.read(entryAt(files, 'models/weights.bin').digest);
    const model = parseTfjs(json, weights, 'model.json');
    expect(model.classes).toEqual(['Apple', 'Orange', 'Pear']);
    expect(model.input).toMatchObject({ ...INPUT, channels: 'RGB' });
    expect(paths(outputs['predictions'] ?? [])).toEqual(['test.bin', 'validation.bin']);
  });

  it('gives the same files twice, and others for another seed', async () => {
    const one = await train(await open(), { entry: 'model.js' }, { files: { 'model.js': DENSE } });
    const other = await train(
      await open(),
      { entry: 'model.js' },
      { files: { 'model.js': DENSE } },
    );
    expect(one.outputs).toEqual(other.outputs);
    const { store, context } = await open();
    const inputs = {
      examples: await colouredExamples(store, ['Apple', 'Orange', 'Pear'], 96),
      code: await codeTree(store, { 'model.js': DENSE }),
    };
    const third = await trainWithTensorflow(context, paramsOf({ entry: 'model.js' }, 8), inputs);
    const [weights, differs] = [one.files, third['model'] ?? []].map((tree) =>
      entryAt(tree, 'models/weights.bin'),
    );
    expect(differs?.digest).not.toBe(weights?.digest);
  });

  it('trains a functional model with a layer of its own, from a file in a folder, with parameters', async () => {
    const fixture = await open();
    const model = { entry: 'net/model.mjs', params: { factor: 0.5 } };
    const { files } = await train(fixture, model, { files: CUSTOM });
    expect(paths(files)).not.toContain('models/clf.h5');
    const said = fixture.runtime.events.flatMap((event) =>
      event.kind === 'noted' ? [event.message] : [],
    );
    expect(said).toContain('net/model.mjs: layers 6');
    expect(said).toContain(
      'models/clf.h5 is left out: the network has layers that pkg does not know',
    );
    const history = await historyOf(fixture.store, files);
    expect(Number(history.at(-1)?.val_accuracy)).toBe(1);
  });

  it('judges such a model by the predictions that its training left', async () => {
    const fixture = await open();
    const { store, runtime } = fixture;
    const model = { entry: 'net/model.mjs', params: { factor: 0.5 } };
    const { outputs, examples } = await train(fixture, model, { files: CUSTOM });
    const inputs = { ...outputs, examples, crops: [] };
    const { evaluation = [] } = await evaluateClassifier(runtime, store, inputs);
    const table = JSON.parse(
      await store.readText(entryAt(evaluation, 'models/evaluation.json').digest),
    ) as {
      splits: Record<string, { accuracy: number; examples: number }>;
    };
    expect(table.splits).toMatchObject({ validation: { examples: 12 }, test: { examples: 12 } });
    expect(table.splits['test']?.accuracy).toBe(1);
  });

  it('trains layers of the manifest without any code, by one sigmoid for two classes', async () => {
    const fixture = await open('refuse');
    const layers = ['flatten', { dense: { units: 1, activation: 'sigmoid' } }];
    const { files, outputs, examples } = await train(
      fixture,
      { layers },
      { classes: ['No', 'Yes'] },
    );
    expect(paths(files)).toContain('models/clf.h5');
    const { runtime, store } = fixture;
    const inputs = { ...outputs, examples, crops: [] };
    const given = await evaluateClassifier(runtime, store, inputs);
    const own = await evaluateClassifier(runtime, store, { model: files, examples, crops: [] });
    const accuracy = async (tree: Tree) =>
      JSON.parse(await store.readText(entryAt(tree, 'models/evaluation.json').digest)) as {
        splits: { test: { accuracy: number; logLoss: number } };
      };
    const [one, other] = [
      await accuracy(given['evaluation'] ?? []),
      await accuracy(own['evaluation'] ?? []),
    ];
    expect(one.splits.test.accuracy).toBe(1);
    expect(other.splits.test.accuracy).toBe(1);
  });

  it('warps, weighs, schedules and stops early as the deterministic engine does', async () => {
    const fixture = await open();
    const model = {
      entry: 'model.js',
      augment: { rotationDegrees: 20, zoom: 0.1, horizontalFlip: true },
      fit: {
        ...FIT,
        epochs: 30,
        classWeights: 'balanced',
        learningRateSchedule: { step: { everyEpochs: 2, factor: 0.5 } },
        earlyStopping: { monitor: 'val_accuracy', patience: 2, restoreBest: true },
      },
    };
    const { files } = await train(fixture, model, { files: { 'model.js': DENSE } });
    const history = await historyOf(fixture.store, files);
    expect(history.length).toBeLessThan(30);
    expect(history.map(({ learning_rate }) => Number(learning_rate)).slice(0, 3)).toEqual([
      0.02, 0.02, 0.01,
    ]);
  });

  it('leaves nothing of the code in the store', async () => {
    const fixture = await open();
    await train(fixture, { entry: 'model.js' }, { files: { 'model.js': DENSE } });
    expect(await readdir(await fixture.store.scratchFolder('tmp'))).toEqual([]);
  });

  it('runs no code unless it may, and says which it would run', async () => {
    const fixture = await open('refuse');
    const work = train(fixture, { entry: 'model.js' }, { files: { 'model.js': DENSE } });
    const failure = await failureOf(work);
    expect(failure.exitCode).toBe(2);
    expect(failure.message).toBe(
      'the model is made by code, model.js of commit c0ffeec0ffee, which runs only where it may',
    );
    expect(failure.hint).toContain('--allow-code');
  });

  it('ends at once when it is aborted', async () => {
    const controller = new AbortController();
    const runtime = testRuntime({
      signal: controller.signal,
      report: (event) => {
        if (event.kind === 'advanced') controller.abort(new Error('enough'));
      },
    });
    const { store } = await open();
    const context: CodeContext = { runtime, store, code: 'run' };
    const inputs = {
      examples: await colouredExamples(store, ['A', 'B'], 96),
      code: await codeTree(store, { 'model.js': DENSE }),
    };
    const work = trainWithTensorflow(context, paramsOf({ entry: 'model.js' }), inputs);
    await expect(work).rejects.toThrow('enough');
    expect(await readdir(await store.scratchFolder('tmp'))).toEqual([]);
  });
});
