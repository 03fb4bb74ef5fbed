/** Any number of threads gives the same bits, for every layer and every size of batch. */
import { describe, expect, it } from 'vitest';
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
import { sample } from './networks.ts';

/** Every kernel there is. */
const EVERYTHING = [
  conv(5, { padding: 'same' }),
  maxPool(),
  conv(9, { activation: 'linear', useBias: false }),
  normalization(),
  activation('tanh'),
  averagePool(2, 1, 'same'),
  conv(12, { kernelSize: 5, strides: 2, padding: 'same', activation: 'sigmoid' }),
  activation('relu'),
  maxPool(3, 1, 'same'),
  dropout(0.25),
  FLATTEN,
  dense(33),
  dropout(0.5),
  dense(7, 'tanh'),
  dense(3, 'softmax'),
];

const AVERAGED = [conv(8), conv(8), maxPool(), conv(5), GLOBAL_AVERAGE, dense(1, 'sigmoid')];

/** Weights and optimizer's memory after three updates, and what is predicted then. */
async function trained(
  specs: typeof EVERYTHING,
  sized: { readonly batchSize: number; readonly count: number; readonly threads: number },
): Promise<{ state: Buffer; losses: readonly number[]; probabilities: Float32Array }> {
  const optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
  const { engine, batch } = await sample([21, 18, 3], specs, { ...sized, optimizer });
  try {
    const losses = [0, 1, 2].map((iteration) => engine.train({ ...batch, iteration }).lossSum);
    const { probabilities, lossSum } = engine.predict(batch);
    const state = Buffer.from(engine.readState());
    return { state, losses: [...losses, lossSum], probabilities };
  } finally {
    await engine.close();
  }
}

async function expectSameBits(
  specs: typeof EVERYTHING,
  sized: { readonly batchSize: number; readonly count: number },
  counts: readonly number[],
): Promise<void> {
  const one = await trained(specs, { ...sized, threads: 1 });
  expect(one.losses.every(Number.isFinite)).toBe(true);
  for (const threads of counts) {
    const more = await trained(specs, { ...sized, threads });
    expect(more.state.equals(one.state)).toBe(true);
    expect(more).toEqual(one);
  }
}

describe('several threads give the bits of one thread', () => {
  it.each([2, 3, 4])('where they are %i', async (threads) => {
    for (const specs of [EVERYTHING, AVERAGED]) {
      await expectSameBits(specs, { batchSize: 5, count: 5 }, [threads]);
    }
  });

  it.each([1, 2, 3, 16, 17, 33])('on batches of %i, whole or short', async (batchSize) => {
    for (const count of new Set([batchSize, Math.ceil(batchSize / 2)])) {
      await expectSameBits(EVERYTHING, { batchSize, count }, [2]);
    }
  });
});

describe('an engine', () => {
  it('gives the bits of one run in another, and of one engine in another', async () => {
    const sized = { batchSize: 6, count: 6, threads: 2 };
    expect(await trained(EVERYTHING, sized)).toEqual(await trained(EVERYTHING, sized));
  });

  it('of larger batches predicts the bits of a smaller one', async () => {
    const predictions = async (batchSize: number) => {
      const settings = { batchSize, count: 4, threads: 2 };
      const { engine, batch } = await sample([21, 18, 3], EVERYTHING, settings);
      const predicted = engine.predict(batch);
      await engine.close();
      return predicted;
    };
    const four = await predictions(4);
    for (const batchSize of [5, 16, 40]) expect(await predictions(batchSize)).toEqual(four);
  });

  it('predicts each example as if it were alone', async () => {
    const { engine, batch, network } = await sample([21, 18, 3], EVERYTHING, { batchSize: 7 });
    const together = engine.predict(batch).probabilities;
    const each = batch.pixels.length / batch.count;
    const apart = Array.from(batch.labels, (label, index) => {
      const pixels = batch.pixels.subarray(index * each, (index + 1) * each);
      const labels = Int32Array.of(label);
      return [...engine.predict({ count: 1, pixels, labels }).probabilities];
    });
    await engine.close();
    expect(network.layers.at(-1)?.outputShape).toEqual([3]);
    expect([...together]).toEqual(apart.flat());
  });
});
