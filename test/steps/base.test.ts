/** The base of a transfer: what is kept of it, what a manifest may ask for, and files made to do harm. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { planNetwork, type Weights } from '../../src/classifier/classifier.ts';
import { modelSchema } from '../../src/manifest/model.ts';
import type { Model } from '../../src/models/models.ts';
import { formatTfjs } from '../../src/models/tfjs.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import {
  baseLogicalKeys,
  findBaseModel,
  inputOf,
  keptLayers,
  parseBaseModel,
  readBaseModel,
} from '../../src/steps/base.ts';
import { checkModel, planTraining } from '../../src/steps/network.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { conv, dense, FLATTEN, GLOBAL_AVERAGE, maxPool } from '../engine/layers.ts';
import { sampleModel } from '../models/sample-models.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { BASE, BASE_PACKAGE, baseTree, FEATURES, transferParams } from './transfer-fixture.ts';

const CLASSES = ['Lion', 'Tiger'];

const plan = (base: object = {}, parts: Readonly<Record<string, unknown>> = {}, model = BASE) =>
  planTraining(transferParams(base, parts), 5, CLASSES, [6, 10], model);

/** What a work is refused with. */
function refusal(work: () => unknown): PkgError {
  try {
    work();
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const trainedLayers = ({ network }: ReturnType<typeof plan>) =>
  network.layers.map(({ weights }) => weights.some(({ trainable }) => trainable));

describe('a network on a base', () => {
  it('begins with all layers up to the last flatten or global pooling, frozen, and ends with the head', () => {
    const { network, kept } = plan();
    const specs = network.layers.map(({ spec }) => spec);
    expect(specs).toEqual([
      ...BASE.network.layers.slice(0, FEATURES.layers).map(({ spec }) => spec),
      dense(1, 'sigmoid'),
    ]);
    expect(network.inputShape).toEqual([14, 20, 3]);
    expect(kept).toEqual(BASE.weights.slice(0, FEATURES.weights));
    expect(trainedLayers(plan())).toEqual([...Array<boolean>(FEATURES.layers).fill(false), true]);
    const pooled = sampleModel(
      [conv(4), GLOBAL_AVERAGE, dense(5), dense(1, 'sigmoid')],
      [14, 20, 3],
    );
    expect(keptLayers({ package: '', path: '' }, pooled).specs).toHaveLength(2);
  });

  it('is named as if it had never been two', () => {
    const { network } = plan({ keep: 7 });
    expect(network).toEqual(
      planNetwork(
        [14, 20, 3],
        network.layers.map(({ spec }) => spec),
        7,
      ),
    );
    expect(network.layers.slice(-2).map(({ name }) => name)).toEqual(['dense', 'dense_1']);
  });

  it.each([0, 1, 4, 6])('trains what is kept behind the first %i layers', (freeze) => {
    const planned = plan({ freeze });
    const expected = BASE.network.layers
      .slice(0, FEATURES.layers)
      .map(({ weights }, index) => index >= freeze && weights.length > 0);
    expect(trainedLayers(planned)).toEqual([...expected, true]);
    expect(planned.kept).toHaveLength(FEATURES.weights);
  });

  it('may keep all layers, and as few as one', () => {
    expect(plan({ keep: 8 }).kept).toEqual(BASE.weights);
    const layers = ['flatten', { dense: { units: 1, activation: 'sigmoid' } }];
    const one = plan({ keep: 1 }, { layers });
    expect(one.network.layers.map(({ name }) => name)).toEqual(['conv2d', 'flatten', 'dense']);
    expect(one.kept).toHaveLength(2);
  });

  it('has the input of its base, which the manifest may repeat', () => {
    expect(inputOf(transferParams(), BASE)).toEqual({ widthPx: 20, heightPx: 14 });
    const same = { input: { widthPx: 20, heightPx: 14 } };
    expect(inputOf(transferParams({}, same), BASE)).toEqual(same.input);
    expect(inputOf(modelSchema.parse({ layers: ['flatten'] }), undefined)).toEqual({
      widthPx: 128,
      heightPx: 128,
    });
  });
});

describe('a manifest that does not fit its base', () => {
  it.each<[string, object, Readonly<Record<string, unknown>>, string, RegExp]>([
    [
      'keeps too many',
      { keep: 9 },
      {},
      'model.base.keep',
      /^the base has 8 layers, 9 cannot be kept$/,
    ],
    [
      'freezes more than it keeps',
      { keep: 3, freeze: 4 },
      {},
      'model.base.freeze',
      /^3 layers of the base are kept, 4 cannot be frozen$/,
    ],
    [
      'freezes more than is kept by itself',
      { freeze: 7 },
      {},
      'model.base.freeze',
      /^6 layers of the base are kept, 7 cannot be frozen$/,
    ],
    [
      'leaves nothing to train',
      { keep: 8 },
      { layers: [{ activation: { function: 'softmax' } }] },
      'model.base.freeze',
      /^no layer is left to be trained$/,
    ],
    [
      'has another input',
      {},
      { input: { widthPx: 14, heightPx: 20 } },
      'model.input',
      /^the base takes 20 x 14 pixels, not 14 x 20$/,
    ],
    ['has a head for a feature map', {}, { layers: ['flatten'] }, 'model.layers.0', /not a vector/],
    [
      'has a head with a kernel that is not there',
      { keep: 1 },
      {
        layers: [
          { activation: { function: 'relu' } },
          { conv2d: { filters: 1, kernelSize: 7 } },
          'flatten',
          { dense: { units: 1, activation: 'sigmoid' } },
        ],
      },
      'model.layers.1.conv2d.kernelSize',
      /has no 7 here/,
    ],
    [
      'ends with no probabilities',
      {},
      { layers: [{ dense: { units: 1 } }] },
      'model.layers.0',
      /takes a dense layer of sigmoid/,
    ],
  ])('is told so where it %s', (_, base, parts, key, message) => {
    const error = refusal(() => {
      checkModel(transferParams(base, parts), BASE);
    });
    expect([error.code, error.key]).toEqual(['manifest', key]);
    expect(error.message).toMatch(message);
    expect(error.hint).not.toBeUndefined();
  });

  it('is shown the layers of its base by number', () => {
    const { hint } = refusal(() => plan({ keep: 99 }));
    expect(hint).toMatch(/^Its layers are 1 conv2d, 2 max_pooling2d, .*, 8 dense_1\.$/);
  });

  it('is told of classes in the place of its own layer', () => {
    const layers = [{ dense: { units: 3, activation: 'softmax' } }];
    const error = refusal(() => plan({}, { layers }));
    expect([error.key, error.message]).toEqual([
      'model.layers.0',
      'the network has 3 outputs, the crops are of 2 classes',
    ]);
  });

  it('is told of a layer of the base that the engine has not', () => {
    const odd = sampleModel(
      [conv(4, { kernelSize: 7 }), FLATTEN, dense(1, 'sigmoid')],
      [14, 20, 3],
    );
    const error = refusal(() => {
      checkModel(transferParams(), odd);
    });
    expect([error.code, error.key]).toEqual(['manifest', 'model.base']);
    expect(error.message).toMatch(/^layer 1 of the base: the deterministic engine has no 7/);
  });

  it('is told to say keep where nothing in the base says where features end', () => {
    const flat = sampleModel([conv(4)], [14, 20, 3]);
    expect(refusal(() => keptLayers({ package: '', path: '' }, flat))).toMatchObject({
      code: 'manifest',
      key: 'model.base',
    });
  });

  it('is told of more layers than a file can have', () => {
    const layers = Array.from({ length: 199 }, () => dense(2));
    const deep = sampleModel([FLATTEN, ...layers, dense(2, 'softmax')], [2, 2, 3]);
    const error = refusal(() => plan({ keep: 200 }, {}, deep));
    expect([error.key, error.message]).toEqual(['model.base.keep', '201 layers are more than 200']);
  });

  it('passes as long as its base is not at hand', () => {
    expect(() => {
      checkModel(transferParams({ keep: 99 }));
    }).not.toThrow();
  });
});

describe('the key model.base', () => {
  const parse = (base: unknown, parts: object = {}) =>
    modelSchema.safeParse({ base, layers: ['flatten'], ...parts });

  it('has a path, and leaves the input to the base', () => {
    const { data } = parse({ package: BASE_PACKAGE });
    expect(data?.base).toEqual({ package: BASE_PACKAGE, path: 'models/model.json' });
    expect(data?.input).toBeUndefined();
  });

  it.each([
    [{}],
    [{ package: '' }],
    [{ package: BASE_PACKAGE, keep: 0 }],
    [{ package: BASE_PACKAGE, keep: 2.5 }],
    [{ package: BASE_PACKAGE, freeze: -1 }],
    [{ package: BASE_PACKAGE, freeze: 'all' }],
    [{ package: BASE_PACKAGE, path: '/model.json' }],
    [{ package: BASE_PACKAGE, path: 'models/weights.bin' }],
    [{ package: BASE_PACKAGE, layers: 3 }],
  ])('refuses %j', (base) => {
    expect(parse(base).success).toBe(false);
  });

  it('is for the deterministic engine, with a head', () => {
    const base = { package: BASE_PACKAGE };
    expect(parse(base, { engine: 'tensorflow' }).success).toBe(false);
    expect(modelSchema.safeParse({ base }).success).toBe(false);
  });

  it('names weights that lie beside the model', () => {
    expect(baseLogicalKeys({ path: 'models/model.json' })).toEqual([
      'models/model.json',
      'models/weights.bin',
    ]);
    expect(baseLogicalKeys({ path: 'model.json' })).toEqual(['model.json', 'weights.bin']);
  });
});

describe('the files of a base', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  });

  const { modelJson, weightsBin } = formatTfjs(BASE);

  it('are read, where a model asks for one', async () => {
    const tree = await baseTree(store);
    expect((await readBaseModel(store, tree)).weights).toEqual(BASE.weights);
    expect((await findBaseModel(store, transferParams(), tree))?.network).toEqual(BASE.network);
    expect(await findBaseModel(store, {}, tree)).toBeUndefined();
  });

  it('may have been published by whoever runs TensorFlow.js, if what a network reads is what is made here', () => {
    const scaled: Model = { ...BASE, input: { ...BASE.input, rescale: 1 / 127.5 } };
    const files = formatTfjs(scaled);
    const error = refusal(() => parseBaseModel(files.modelJson, files.weightsBin, 'quilt/base'));
    expect([error.code, error.message]).toEqual([
      'usage',
      'quilt/base: pkg does not run a network whose input is rescaled by 0.00784313725490196',
    ]);
  });

  const spoilt = (change: (weights: Float32Array[]) => void): Weights => {
    const weights = BASE.weights.map((values) => values.slice());
    change(weights);
    return weights;
  };

  it('are refused where a moving variance is below 0, which has no root', () => {
    const weights = spoilt((all) => all[7]?.fill(-1e-3));
    const files = formatTfjs({ ...BASE, weights });
    const error = refusal(() => parseBaseModel(files.modelJson, files.weightsBin, 'quilt/base'));
    expect([error.code, error.message]).toEqual([
      'integrity',
      'quilt/base: a moving variance of it is below 0',
    ]);
  });

  it.each<[string, string, Uint8Array]>([
    ['no JSON', '{', weightsBin],
    ['weights that were cut off', modelJson, weightsBin.subarray(4)],
    ['weights that hold no numbers', modelJson, weightsBin.map(() => 255)],
    ['a network that is none', modelJson.replace('"Sequential"', '"Functional"'), weightsBin],
    ['a layer that nobody has', modelJson.replace('"Conv2D"', '"Lambda"'), weightsBin],
    [
      'layers without end',
      modelJson.replace('"layers": [', `"layers": [${'{},'.repeat(1e5)}`),
      weightsBin,
    ],
  ])('are refused in words where they are %s', (_, json, weights) => {
    const error = refusal(() => parseBaseModel(json, weights, 'quilt/base'));
    expect(['integrity', 'usage']).toContain(error.code);
    expect(error.message).toMatch(/^quilt\/base: /);
  });

  it.each(['model.json', 'weights.bin'])(
    'are refused before they are read where %s is huge',
    async (path) => {
      const huge = (await baseTree(store)).map((entry) =>
        entry.path === path ? { path, digest: digestOf('not there'), sizeBytes: 2 ** 40 } : entry,
      );
      await expect(readBaseModel(store, huge, 'quilt/base')).rejects.toMatchObject({
        code: 'integrity',
        message: 'quilt/base: it is larger than any network that can be trained',
      });
    },
  );

  it('do not make the engine ask for more memory than there is', () => {
    const wide = sampleModel(
      [conv(2048, { kernelSize: 1 }), maxPool(), GLOBAL_AVERAGE, dense(1, 'sigmoid')],
      [1024, 1024, 3],
    );
    const error = refusal(() => {
      checkModel(transferParams(), wide);
    });
    expect([error.code, error.message]).toEqual([
      'manifest',
      'the network with its batch needs more than 4 GiB',
    ]);
  });
});
