/** The engine: its weights and state, how training breaks down, and what it refuses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affineMatrix, type Transform } from '../../src/classifier/augment.ts';
import {
  type LayerSpec,
  planNetwork,
  type Weights,
  weightSpecs,
} from '../../src/classifier/classifier.ts';
import type { Loss, Optimizer } from '../../src/classifier/engine.ts';
import { createRandom } from '../../src/classifier/random.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import {
  activation,
  averagePool,
  conv,
  dense,
  dropout,
  FLATTEN,
  GLOBAL_AVERAGE,
  maxPool,
  normalization,
} from './layers.ts';
import { anyNetwork } from './network-arbitraries.ts';
import { open, openEngine, randomBatch, randomWeights, SEED, sample } from './networks.ts';
import { OPTIMIZERS } from './optimizer-cases.ts';

const INPUT = [9, 8, 3] as const;

/** Channels and units that are no multiples of four. */
const UNEVEN = [
  conv(5),
  maxPool(),
  normalization(),
  conv(7, { kernelSize: 1 }),
  FLATTEN,
  dropout(0.3),
  dense(9),
  dense(3, 'softmax'),
];

async function refusal(promise: Promise<unknown>): Promise<PkgError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PkgError)) throw new Error(`no PkgError: ${String(error)}`);
  return error;
}

function breakdown(run: () => unknown): PkgError {
  try {
    run();
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('nothing broke down');
}

describe('the weights of an engine', () => {
  it('are read as they were written, whatever their shapes', async () => {
    await fc.assert(
      fc.asyncProperty(anyNetwork, async ({ inputShape, specs }) => {
        const { engine, weights } = await sample(inputShape, specs);
        const read = engine.readWeights();
        await engine.close();
        expect(read).toEqual(weights);
      }),
      { numRuns: 50 },
    );
  });

  it('are 0 until they are written, and are copies', async () => {
    const engine = await openEngine(planNetwork(INPUT, UNEVEN));
    const zeros = engine.readWeights();
    expect(zeros.every((weight) => weight.every((value) => value === 0))).toBe(true);
    zeros[0]?.fill(1);
    expect(engine.readWeights()[0]?.[0]).toBe(0);
    await engine.close();
  });

  it('that do not fit the network are refused', async () => {
    const { engine, weights } = await sample(INPUT, UNEVEN);
    expect(() => {
      engine.writeWeights(weights.slice(1));
    }).toThrow('invariant broken: weights fit the network');
    await engine.close();
  });

  it('change what is predicted at once', async () => {
    const { engine, network, batch, weights } = await sample(INPUT, UNEVEN);
    const before = engine.predict(batch);
    engine.writeWeights(randomWeights(network, createRandom(SEED, ['other weights'])));
    expect(engine.predict(batch)).not.toEqual(before);
    engine.writeWeights(weights);
    expect(engine.predict(batch)).toEqual(before);
    await engine.close();
  });
});

describe('the state of an engine', () => {
  it.each(Object.entries(OPTIMIZERS))(
    'is all that training goes on from, by %s',
    async (_, optimizer) => {
      const { engine, network, batch } = await sample(INPUT, UNEVEN, { optimizer });
      const train = (one: typeof engine, iterations: readonly number[]) =>
        iterations.map((iteration) => one.train({ ...batch, iteration }));
      train(engine, [0, 1, 2]);
      const state = engine.readState();
      const undisturbed = [train(engine, [3, 4]), engine.readState(), engine.predict(batch)];
      await engine.close();
      const other = await openEngine(network, { optimizer, threads: 2 });
      other.writeState(state);
      const continued = [train(other, [3, 4]), other.readState(), other.predict(batch)];
      expect(continued).toEqual(undisturbed);
      // And back again, in an engine that has gone on since.
      other.writeState(state);
      other.poison();
      expect([train(other, [3, 4]), other.readState(), other.predict(batch)]).toEqual(undisturbed);
      await other.close();
    },
  );

  it('of another optimizer is refused', async () => {
    const [plain, adam] = await Promise.all(
      [OPTIMIZERS['SGD'], OPTIMIZERS['Adam']].map(
        async (optimizer) => await sample(INPUT, UNEVEN, optimizer && { optimizer }),
      ),
    );
    expect(() => plain?.engine.writeState(adam?.engine.readState() ?? new Uint8Array())).toThrow(
      'invariant broken: a state fits its network and optimizer',
    );
    await plain?.engine.close();
    await adam?.engine.close();
  });

  it('does not change by a prediction', async () => {
    const { engine, batch } = await sample(INPUT, UNEVEN);
    const state = engine.readState();
    engine.predict(batch);
    expect(engine.readState()).toEqual(state);
    await engine.close();
  });
});

describe('training', () => {
  const adam: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

  it.each([
    ['SGD', { kind: 'sgd', momentum: 0, nesterov: false }],
    ['RMSprop', { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 }],
    ['Adam', adam],
  ] as const)('by %s makes the loss of a few examples small', async (_, optimizer) => {
    const specs = [conv(8), maxPool(), FLATTEN, dense(16), dense(4, 'softmax')];
    const { engine, batch } = await sample(INPUT, specs, { optimizer, batchSize: 8 });
    const learningRate = optimizer.kind === 'sgd' ? 0.1 : 0.005;
    const losses = Array.from(
      { length: 150 },
      (_value, iteration) => engine.train({ ...batch, iteration, learningRate }).lossSum,
    );
    expect(losses.at(-1)).toBeLessThan(0.1 * (losses[0] ?? NaN));
    expect(engine.predict(batch).right).toBe(8);
    await engine.close();
  });

  it('stops at a learning rate so high that numbers are not finite, and says when', async () => {
    const { engine, batch } = await sample(INPUT, UNEVEN);
    const error = breakdown(() => {
      for (let iteration = 0; iteration < 10; iteration += 1) {
        engine.train({ ...batch, iteration, learningRate: 1e30 });
      }
    });
    await engine.close();
    expect(error.code).toBe('manifest');
    expect(error.message).toMatch(
      /^training broke down: iteration \d+ gave a number that is not finite in layer \w+/,
    );
    expect(error.key).toBe('model.fit.optimizer');
    expect(error.hint).toBe('Lower the learning rate.');
  });

  const places: readonly (readonly [string, readonly LayerSpec[]])[] = [
    ['conv2d', [conv(5), FLATTEN, dense(3, 'softmax')]],
    ['conv2d_1', [conv(8), conv(5), maxPool(), FLATTEN, dense(3, 'softmax')]],
    ['conv2d_1', [conv(4), conv(8, { activation: 'tanh' }), GLOBAL_AVERAGE, dense(1, 'sigmoid')]],
    ['dense', [FLATTEN, dense(5), dense(1, 'sigmoid')]],
    ['dense_1', [conv(5), averagePool(), FLATTEN, dense(5), dense(3, 'softmax')]],
    [
      'batch_normalization',
      [conv(5), normalization(), activation('relu'), FLATTEN, dense(2, 'softmax')],
    ],
  ];

  it.each(
    places.flatMap(([layer, specs]) =>
      [NaN, Infinity, -Infinity].map((value) => ({ layer, specs, value })),
    ),
  )('stops at once where a weight of $layer is $value', async ({ layer, specs, value }) => {
    const network = planNetwork(INPUT, specs);
    for (const [index, spec] of weightSpecs(network).entries()) {
      if (spec.layer !== layer || !spec.trainable) continue;
      const { engine, weights, batch } = await sample(INPUT, specs);
      const broken = weights.map((weight) => weight.slice());
      broken[index]?.set([value], broken[index].length - 1);
      engine.writeWeights(broken);
      const error = breakdown(() => engine.train({ ...batch, iteration: 7 }));
      await engine.close();
      expect(error.code).toBe('manifest');
      expect(error.message).toContain('iteration 8 gave');
      expect(error.message.split('in layer ')[1]).toMatch(new RegExp(`^${layer}(, in its \\w+)?$`));
    }
  });

  it('stops where a moving statistic is not finite before anything is predicted by it', async () => {
    const { engine, weights, batch } = await sample(INPUT, UNEVEN);
    const index = weightSpecs(engine.network).findIndex(({ name }) => name === 'moving_variance');
    const broken: Weights = weights.map((weight, at) =>
      at === index ? weight.map(() => NaN) : weight,
    );
    engine.writeWeights(broken);
    const { lossSum } = engine.predict(batch);
    await engine.close();
    expect(lossSum).toBeNaN();
  });

  it('takes batches of 1 to batchSize examples that are whole', async () => {
    const { engine, network, batch } = await sample(INPUT, UNEVEN, { batchSize: 3 });
    const six = randomBatch(network, createRandom(SEED, ['six']), 6);
    expect(() => engine.train(six)).toThrow('a batch has 1 to batchSize examples');
    expect(() => engine.train({ ...batch, count: 0 })).toThrow('1 to batchSize');
    expect(() => engine.predict({ ...batch, count: 2 })).toThrow('a batch is whole');
    expect(() => engine.predict({ ...batch, labels: batch.labels.slice(1) })).toThrow('whole');
    await engine.close();
  });
});

describe('an engine that warps', () => {
  const still: Transform = {
    ...{ thetaDegrees: 0, tx: 0, ty: 0, shearDegrees: 0, zx: 1, zy: 1 },
    ...{ flipHorizontal: false, flipVertical: false },
  };
  const [heightPx, widthPx, channels] = INPUT;
  const matrices = (transform: Transform, count: number) => {
    const matrix = affineMatrix(transform, { heightPx, widthPx });
    return Float64Array.from({ length: count * 6 }, (_, at) => matrix[at % 6] ?? NaN);
  };

  it('trains on the warped pictures, and predicts of those that were given', async () => {
    const { engine: plain, network, weights, batch } = await sample(INPUT, UNEVEN);
    const optimizer = { kind: 'sgd', momentum: 0, nesterov: false } as const;
    const training = { loss: 'categoricalCrossentropy', optimizer, fill: 'nearest' } as const;
    const engine = await open({ network, batchSize: 5, threads: 2, seed: SEED, training });
    engine.writeWeights(weights);
    expect(engine.predict(batch)).toEqual(plain.predict(batch));
    const learningRate = 0;
    const flipped = Uint8Array.from(batch.pixels, (_, at) => {
      const [pixel, channel] = [Math.floor(at / channels), at % channels];
      const column = pixel % widthPx;
      return batch.pixels[(pixel - column + (widthPx - 1 - column)) * channels + channel] ?? NaN;
    });
    for (const [transform, pixels] of [
      [still, batch.pixels],
      [{ ...still, flipHorizontal: true }, flipped],
    ] as const) {
      engine.poison();
      const transforms = matrices(transform, 5);
      const warped = engine.train({ ...batch, learningRate, transforms }).lossSum;
      const given = plain.train({ ...batch, learningRate, pixels }).lossSum;
      expect(Math.abs(warped / given - 1)).toBeLessThan(1e-6);
    }
    expect(plain.train({ ...batch, learningRate }).lossSum).not.toBeCloseTo(
      plain.train({ ...batch, learningRate, pixels: flipped }).lossSum,
      5,
    );
    await plain.close();
    await engine.close();
  });
});

describe('an engine that only predicts', () => {
  it('predicts as one that trains, and does not train', async () => {
    const { engine, network, weights, batch } = await sample(INPUT, UNEVEN);
    const predicted = engine.predict(batch);
    await engine.close();
    const only = await open({ network, batchSize: 5, threads: 2, seed: 1, training: undefined });
    only.writeWeights(weights);
    expect(only.predict(batch)).toEqual(predicted);
    only.poison();
    expect(only.predict(batch)).toEqual(predicted);
    expect(only.readWeights()).toEqual(weights);
    expect(() => only.train(batch)).toThrow('invariant broken: this engine trains');
    await only.close();
  });

  it('takes networks that no loss belongs to', async () => {
    const network = planNetwork(INPUT, [conv(5), FLATTEN, dense(3, 'linear')]);
    const only = await open({ network, batchSize: 2, threads: 1, seed: 1, training: undefined });
    const random = createRandom(SEED, ['linear']);
    const weights = randomWeights(network, random);
    only.writeWeights(weights);
    const { probabilities } = only.predict(randomBatch(network, random, 2));
    expect(probabilities).toHaveLength(6);
    expect(probabilities.every(Number.isFinite)).toBe(true);
    await only.close();
  });
});

describe('an engine refuses', () => {
  const create = async (specs: readonly LayerSpec[], batchSize = 2, loss?: Loss) =>
    await createEngine({
      network: planNetwork(INPUT, specs),
      batchSize,
      threads: 1,
      seed: SEED,
      training: {
        loss: loss ?? 'binaryCrossentropy',
        optimizer: { kind: 'sgd', momentum: 0, nesterov: false },
        fill: undefined,
      },
    });

  it.each([2, 4, 7])(
    'kernels of %i, and names the key and the engine that has them',
    async (size) => {
      const specs = [conv(4), conv(4, { kernelSize: size, padding: 'same' }), FLATTEN];
      const error = await refusal(create([...specs, dense(1, 'sigmoid')]));
      expect(error.code).toBe('manifest');
      expect(error.key).toBe('model.layers.1.conv2d.kernelSize');
      expect(error.message).toContain(String(size));
      expect(error.hint).toContain('1, 3, 5');
      expect(error.hint).toContain('engine: tensorflow');
    },
  );

  it('strides of 3, and names the key and the engine that has them', async () => {
    const error = await refusal(create([conv(4, { strides: 3 }), FLATTEN, dense(1, 'sigmoid')]));
    expect(error.key).toBe('model.layers.0.conv2d.strides');
    expect(error.hint).toContain('1, 2');
    expect(error.hint).toContain('engine: tensorflow');
  });

  it.each([
    ['binaryCrossentropy', [FLATTEN, dense(3, 'softmax')]],
    ['binaryCrossentropy', [FLATTEN, dense(1, 'linear')]],
    ['categoricalCrossentropy', [FLATTEN, dense(1, 'sigmoid')]],
    ['categoricalCrossentropy', [FLATTEN, dense(3, 'relu')]],
    ['categoricalCrossentropy', [FLATTEN, dense(3, 'softmax'), dropout(0.5)]],
    ['binaryCrossentropy', [conv(1, { activation: 'sigmoid' })]],
    ['binaryCrossentropy', [conv(1), activation('sigmoid')]],
  ] as const)('the loss %s after a last layer that it does not fit', async (loss, specs) => {
    const error = await refusal(create(specs, 2, loss));
    expect(error.code).toBe('manifest');
    expect(error.key).toBe(`model.layers.${String(specs.length - 1)}`);
    expect(error.message).toContain(loss);
    expect(error.hint).toContain('softmax and one unit a class');
  });

  it('networks that need more than 4 GiB with their batch', async () => {
    const specs = [conv(512, { padding: 'same' }), FLATTEN, dense(1, 'sigmoid')];
    const error = await refusal(create(specs, 30_000));
    expect(error.code).toBe('manifest');
    expect(error.key).toBe('model.fit.batchSize');
    expect(error.message).toContain('4 GiB');
    expect(error.hint).toContain('Lower model.fit.batchSize');
  });
});
