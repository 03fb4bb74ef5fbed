/** Any small network, frozen up to any layer: the gradients of TensorFlow.js, and nothing frozen ever moves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightSpecs } from '../../src/classifier/classifier.ts';
import { apartFromTfjs, CLOSE } from './agreement.ts';
import { anyNetwork, type Drawn } from './network-arbitraries.ts';
import { sample } from './networks.ts';

/** A network and how many of its layers are frozen; the last dense layer never is. */
const anyFrozen: fc.Arbitrary<Drawn & { readonly frozen: number }> = anyNetwork.chain((drawn) =>
  fc
    .nat(drawn.specs.findLastIndex(({ kind }) => kind === 'dense'))
    .map((frozen) => ({ ...drawn, frozen })),
);

const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/** What three updates leave of a network. */
async function trained({ inputShape, specs, frozen }: Drawn & { frozen: number }, threads: number) {
  const settings = { frozen, threads, batchSize: 7, count: 5, optimizer: ADAM };
  const { engine, batch, weights } = await sample(inputShape, specs, settings);
  try {
    const losses = [0, 1, 2].map((iteration) => engine.train({ ...batch, iteration }).lossSum);
    const state = Buffer.from(engine.readState()).toString('base64');
    return { before: weights, after: engine.readWeights(), losses, state };
  } finally {
    await engine.close();
  }
}

describe('any small network with frozen layers', () => {
  it('has the predictions, the loss and the gradients of TensorFlow.js', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrozen, async ({ inputShape, specs, frozen }) => {
        const apart = await apartFromTfjs(inputShape, specs, { frozen, batchSize: 6, count: 5 });
        const normalizes = specs.some(({ kind }) => kind === 'batchNormalization');
        expect(apart.error, apart.what).toBeLessThan(normalizes ? 10 * CLOSE : CLOSE);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the bits of what is frozen, and has the same ones with one thread and three', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrozen, async (drawn) => {
        const one = await trained(drawn, 1);
        const { network, engine } = await sample(drawn.inputShape, drawn.specs, drawn);
        await engine.close();
        const kept = network.layers
          .slice(0, drawn.frozen)
          .reduce((count, { weights }) => count + weights.length, 0);
        expect(one.after.slice(0, kept)).toEqual(one.before.slice(0, kept));
        expect(
          weightSpecs(network)
            .slice(0, kept)
            .every(({ trainable }) => !trainable),
        ).toBe(true);
        expect(await trained(drawn, 3)).toEqual(one);
      }),
      { numRuns: 40 },
    );
  });
});
