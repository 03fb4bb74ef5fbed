/** The train step on a base: what stays, what is put out, and the same bits whoever goes on with it. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/models/models.ts';
import { parseTfjs } from '../../src/models/tfjs.ts';
import type { ProgressEvent } from '../../src/runtime/runtime.ts';
import { evaluateClassifier } from '../../src/steps/evaluate.ts';
import type { StepInputs } from '../../src/steps/step.ts';
import { trainClassifier } from '../../src/steps/train.ts';
import type { TrainParams } from '../../src/steps/training.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { entryAt, type Tree } from '../../src/store/tree.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { BASE, baseTree, FEATURES, transferInputs, transferParams } from './transfer-fixture.ts';

const bits = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('hex');

describe('a training on a base', () => {
  let store: Store;
  let inputs: StepInputs;

  const train = async (
    params: TrainParams,
    concurrency = 2,
    given: StepInputs = inputs,
  ): Promise<Tree> => {
    const outputs = await trainClassifier(testRuntime({ concurrency }), store, params, given);
    return outputs['model'] ?? [];
  };

  const modelIn = async (tree: Tree): Promise<Model> => {
    const json = await store.readText(entryAt(tree, 'models/model.json').digest);
    const weights = await store.read(entryAt(tree, 'models/weights.bin').digest);
    return parseTfjs(json, weights, 'models/model.json');
  };

  beforeAll(async () => {
    store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
    inputs = await transferInputs(store);
  });

  it('leaves the base’s weights to the bit, and has a head that learned', async () => {
    const [once, longer] = [
      await modelIn(await train(transferParams())),
      await modelIn(await train(transferParams({}, { fit: { batchSize: 4, epochs: 5 } }))),
    ];
    for (const { weights, classes } of [once, longer]) {
      expect(classes).toEqual(['Lion', 'Tiger']);
      const kept = weights.slice(0, FEATURES.weights);
      expect(kept.map(bits)).toEqual(BASE.weights.slice(0, FEATURES.weights).map(bits));
    }
    expect(once.weights.slice(FEATURES.weights)).not.toEqual(
      longer.weights.slice(FEATURES.weights),
    );
  });

  it('moves what is kept but not frozen, moving statistics included', async () => {
    const { weights } = await modelIn(await train(transferParams({ freeze: 2 })));
    const moved = weights.map(
      (values, index) => bits(values) !== bits(BASE.weights[index] ?? values),
    );
    expect(moved.slice(0, FEATURES.weights)).toEqual([
      ...[false, false],
      ...[true, true, true, true, true, true],
    ]);
  });

  it('puts out a whole model, and the base as it was given', async () => {
    const tree = await train(transferParams());
    const model = await modelIn(tree);
    expect(model.network.layers).toHaveLength(FEATURES.layers + 1);
    expect(model.input).toMatchObject({ widthPx: 20, heightPx: 14, channels: 'RGB' });
    for (const { path, digest, sizeBytes } of inputs['base'] ?? []) {
      expect(entryAt(tree, `models/base/${path}`)).toMatchObject({ digest, sizeBytes });
    }
    const judged = await evaluateClassifier(testRuntime(), store, { ...inputs, model: tree });
    expect(judged['evaluation']?.map(({ path }) => path)).toContain('models/evaluation.json');
  });

  it('puts out no base where it has none', async () => {
    const layers = ['flatten', { dense: { units: 1, activation: 'sigmoid' } }];
    const parts = { base: undefined, layers, input: { widthPx: 20, heightPx: 14 } };
    const { base, ...rest } = inputs;
    const tree = await train(transferParams({}, parts), 2, rest);
    expect(base).toHaveLength(2);
    expect(tree.filter(({ path }) => path.startsWith('models/base/'))).toEqual([]);
  });

  it('gives the same files with one to four threads', async () => {
    const params = transferParams({ freeze: 3 });
    const one = await train(params, 1);
    for (const threads of [2, 3, 4]) expect(await train(params, threads)).toEqual(one);
  });

  /** Trains until the first epoch is done, as one who is then interrupted. */
  const interrupt = async (params: TrainParams, given: StepInputs): Promise<void> => {
    const stop = new AbortController();
    const report = (event: ProgressEvent) => {
      if (event.kind === 'noted' && event.message.startsWith('epoch 2/')) stop.abort();
    };
    const runtime = { ...testRuntime({ signal: stop.signal }), report };
    await expect(trainClassifier(runtime, store, params, given)).rejects.toThrow('abort');
  };

  it('goes on where it was interrupted, to the same files', async () => {
    const params = transferParams({ freeze: 3 }, { fit: { batchSize: 4, epochs: 4 } });
    const whole = await train(params);
    await interrupt(params, inputs);
    const runtime = testRuntime();
    const resumed = await trainClassifier(runtime, store, params, inputs);
    expect(runtime.events).toContainEqual({
      kind: 'noted',
      message: expect.stringMatching(/^training goes on after epoch \d$/) as string,
    });
    expect(resumed['model']).toEqual(whole);
  });

  it('does not go on with what was begun on another base', async () => {
    const params = transferParams({}, { fit: { batchSize: 4, epochs: 4 } });
    await interrupt(params, inputs);
    const weights = BASE.weights.map((values) => values.map((value) => value / 2));
    const other = { ...inputs, base: await baseTree(store, { ...BASE, weights }) };
    const runtime = testRuntime();
    await trainClassifier(runtime, store, params, other);
    const noted = runtime.events.flatMap((event) =>
      event.kind === 'noted' ? [event.message] : [],
    );
    expect(noted[0]).toMatch(/^epoch 1\/4/);
  });

  it('is refused where the base is broken, before anything is trained', async () => {
    const text = await store.putBytes('{"format": "layers-model"}');
    const broken = (inputs['base'] ?? []).map((entry) =>
      entry.path === 'model.json' ? { path: 'model.json', ...text } : entry,
    );
    await expect(train(transferParams(), 2, { ...inputs, base: broken })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(': models/model.json: ') as string,
    });
  });
});
