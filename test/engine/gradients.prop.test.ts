/** Any small network has the gradients of TensorFlow.js, and the same bits with any number of threads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apartFromTfjs, CLOSE } from './agreement.ts';
import { anyNetwork } from './network-arbitraries.ts';
import { type Settings, sample } from './networks.ts';

/** Batch normalization divides by deviations, which may be small, and rounding errors with the values. */
const CLOSE_ENOUGH = 1e-4;

/** Everything that two updates and a prediction leave. */
async function bitsOf(
  [inputShape, specs]: Parameters<typeof sample>,
  settings: Settings & { readonly count: number },
): Promise<string> {
  const { engine, batch } = await sample(inputShape, specs, settings);
  try {
    const results = [0, 1].map((iteration) => engine.train({ ...batch, iteration }));
    const { probabilities, lossSum } = engine.predict(batch);
    const numbers = [...probabilities, lossSum, ...results.map((result) => result.lossSum)];
    const state = Buffer.from(engine.readState());
    return `${numbers.join(' ')} ${state.toString('base64')}`;
  } finally {
    await engine.close();
  }
}

const sizes = fc.record({ batchSize: fc.integer({ min: 3, max: 20 }), lacking: fc.nat(2) });

describe('any small network', () => {
  it('has the predictions, the loss and the gradients of TensorFlow.js', async () => {
    await fc.assert(
      fc.asyncProperty(anyNetwork, sizes, async ({ inputShape, specs }, sized) => {
        const { batchSize, lacking } = sized;
        const count = batchSize - lacking;
        const apart = await apartFromTfjs(inputShape, specs, { batchSize, count });
        const normalizes = specs.some(({ kind }) => kind === 'batchNormalization');
        expect(apart.error, apart.what).toBeLessThan(normalizes ? CLOSE_ENOUGH : CLOSE);
      }),
      { numRuns: 120 },
    );
  });

  it('is trained to the same bits by one thread and by three', async () => {
    await fc.assert(
      fc.asyncProperty(anyNetwork, sizes, async ({ inputShape, specs }, sized) => {
        const { batchSize, lacking } = sized;
        const given: Parameters<typeof sample> = [inputShape, specs];
        const settings = { batchSize, count: batchSize - lacking };
        const one = await bitsOf(given, { ...settings, threads: 1 });
        expect(await bitsOf(given, { ...settings, threads: 3 })).toBe(one);
      }),
      { numRuns: 25 },
    );
  });
});
