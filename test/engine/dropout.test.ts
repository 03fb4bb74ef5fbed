/** Dropout: its rate, its stream of numbers, and its gradient by finite differences. */
import { describe, expect, it } from 'vitest';
import { type LayerSpec, planNetwork, weightSpecs } from '../../src/classifier/classifier.ts';
import { createRandom } from '../../src/classifier/random.ts';
import { dropoutMask, splitMix64 } from './dropout-mask.ts';
import { conv, dense, dropout, FLATTEN, maxPool } from './layers.ts';
import { type OpenEngine, open, PLAIN_SGD, randomBatch, randomWeights, SEED } from './networks.ts';

const INPUT = [5, 7, 3] as const;
const SIZE = 5 * 7 * 3;
const WHITE = 255;

interface Drawing {
  readonly rate: number;
  readonly seed?: number;
  readonly threads?: number;
  /** Which of the batch's examples is looked at. */
  readonly example?: number;
  /** Layers in front of the dropout that do nothing. */
  readonly before?: readonly LayerSpec[];
}

/** What a dropout layer kept of an example of white pixels, told by the gradients after it. */
async function keptOf(drawing: Drawing, iterations: readonly number[]): Promise<number[][]> {
  const { rate, seed = SEED, threads = 1, example = 0, before = [] } = drawing;
  const specs = [FLATTEN, ...before, dropout(rate), dense(1, 'sigmoid', false)];
  const network = planNetwork(INPUT, specs);
  const training = { loss: 'binaryCrossentropy', optimizer: PLAIN_SGD, fill: undefined } as const;
  const engine = await open({ network, batchSize: 3, threads, seed, training });
  const exampleWeights = new Float32Array(3);
  exampleWeights[example] = 6;
  try {
    return iterations.map((iteration) => {
      engine.train({
        count: 3,
        pixels: new Uint8Array(3 * SIZE).fill(WHITE),
        labels: new Int32Array(3),
        exampleWeights,
        transforms: undefined,
        learningRate: 0,
        iteration,
      });
      // Weights of 0 predict one half, so the gradient is what was kept, times 6 / 3 / 2.
      return [...(engine.readGradients()[0] ?? [])];
    });
  } finally {
    await engine.close();
  }
}

const many = Array.from({ length: 100 }, (_, iteration) => iteration);

describe('dropout', () => {
  it.each([0.1, 0.25, 0.5, 0.9])('at a rate of %f drops that share of numbers', async (rate) => {
    const kept = (await keptOf({ rate }, many)).flat();
    const dropped = kept.filter((value) => value === 0).length / kept.length;
    // Five standard deviations.
    const margin = 5 * Math.sqrt((rate * (1 - rate)) / kept.length);
    expect(Math.abs(dropped - rate)).toBeLessThan(margin);
  });

  it('makes what it keeps larger, so that the mean stays', async () => {
    const kept = (await keptOf({ rate: 0.2 }, many)).flat();
    for (const value of kept) {
      if (value !== 0) expect(value).toBeCloseTo(1.25, 6);
    }
  });

  it('drops each place as often as any other', async () => {
    const kept = await keptOf({ rate: 0.5 }, many);
    const counts = Array.from({ length: SIZE }, (_, place) =>
      kept.reduce((sum, one) => sum + Number(one[place] === 0), 0),
    );
    expect(Math.min(...counts)).toBeGreaterThan(25);
    expect(Math.max(...counts)).toBeLessThan(75);
  });

  it('draws anew for each iteration, layer, example and seed', async () => {
    const base: Drawing = { rate: 0.5 };
    const [first = [], second = []] = await keptOf(base, [0, 1]);
    const others: Drawing[] = [
      { ...base, example: 1 },
      { ...base, seed: SEED + 1 },
      { ...base, before: [{ kind: 'activation', function: 'linear' }] },
    ];
    const all = [first, second];
    for (const other of others) all.push(...(await keptOf(other, [0])));
    for (const [index, one] of all.entries()) {
      for (const two of all.slice(index + 1)) {
        const same = one.filter((value, place) => value === two[place]).length;
        // About half are the same by chance.
        expect(same).toBeGreaterThan(SIZE * 0.25);
        expect(same).toBeLessThan(SIZE * 0.75);
      }
    }
  });

  it('draws the same for the same iteration, and for any number of threads', async () => {
    const one = await keptOf({ rate: 0.5 }, [7, 8]);
    expect(await keptOf({ rate: 0.5 }, [7, 8])).toEqual(one);
    for (const threads of [2, 3]) {
      expect(await keptOf({ rate: 0.5, threads }, [7, 8])).toEqual(one);
    }
  });

  it('draws by SplitMix64, whose first numbers are known', async () => {
    // Of Java's SplittableRandom, and of Vigna's splitmix64.c with the seed 1234567.
    const known = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n];
    expect([1n, 2n, 3n].map((n) => splitMix64(1234567n, n))).toEqual(known);
    for (const example of [0, 1, 2]) {
      const [kept = []] = await keptOf({ rate: 0.4, example }, [3]);
      const mask = dropoutMask([SIZE], 3, { seed: SEED, layer: 1, iteration: 3, rate: 0.4 });
      const own = [...mask.subarray(example * SIZE, (example + 1) * SIZE)];
      expect(kept.map((value) => value > 0)).toEqual(own.map((value) => value > 0));
    }
  });

  it('leaves predictions alone', async () => {
    const random = createRandom(SEED, ['dropout test']);
    const specs = (rate: number) => [conv(5), dropout(rate), FLATTEN, dense(3, 'softmax')];
    const training = { loss: 'categoricalCrossentropy', optimizer: PLAIN_SGD } as const;
    const network = planNetwork(INPUT, specs(0));
    const weights = randomWeights(network, random);
    const batch = randomBatch(network, random, 4);
    const predicted = [];
    for (const rate of [0, 0.5]) {
      const engine = await open({
        network: planNetwork(INPUT, specs(rate)),
        batchSize: 4,
        threads: 1,
        seed: SEED,
        training: { ...training, fill: undefined },
      });
      engine.writeWeights(weights);
      predicted.push(engine.predict(batch));
      await engine.close();
    }
    expect(predicted[1]).toEqual(predicted[0]);
  });
});

/** Of the loss along a direction, at the weights. */
function slope(engine: OpenEngine, lossAt: (step: number) => number): number {
  const step = 2 ** -7;
  const slopeOf = (size: number) => (lossAt(size) - lossAt(-size)) / (2 * size);
  // Richardson's extrapolation takes away the error of the second order.
  const result = (4 * slopeOf(step) - slopeOf(2 * step)) / 3;
  if (!Number.isFinite(result))
    throw new Error(`the ${String(engine.batchSize)} losses are finite`);
  return result;
}

describe('the gradient of a network with dropout', () => {
  it('is the slope of its loss under the same mask', async () => {
    const specs = [
      conv(5, { activation: 'tanh' }),
      dropout(0.3),
      conv(4, { kernelSize: 1, activation: 'sigmoid' }),
      maxPool(2),
      FLATTEN,
      dropout(0.5),
      dense(6, 'tanh'),
      dense(3, 'softmax'),
    ];
    const network = planNetwork([8, 7, 3], specs);
    const random = createRandom(SEED, ['slope']);
    const weights = randomWeights(network, random);
    const training = { loss: 'categoricalCrossentropy', optimizer: PLAIN_SGD } as const;
    const options = { batchSize: 4, threads: 1, seed: SEED };
    const engine = await open({ network, ...options, training: { ...training, fill: undefined } });
    const batch = { ...randomBatch(network, random, 4), learningRate: 0, iteration: 5 };
    engine.writeWeights(weights);
    engine.train(batch);
    const gradients = engine.readGradients();
    for (const [index, { layer, name }] of weightSpecs(network).entries()) {
      // The direction of the gradient itself, in which the loss changes most.
      const gradient = gradients[index] ?? new Float32Array();
      const length = Math.hypot(...gradient);
      const measured = slope(engine, (step) => {
        const moved = weights.map((weight, at) =>
          at === index
            ? weight.map((value, k) => value + (step * (gradient[k] ?? 0)) / length)
            : weight,
        );
        engine.writeWeights(moved);
        return engine.train(batch).lossSum / batch.count;
      });
      expect(Math.abs(measured / length - 1), `${layer} ${name}`).toBeLessThan(2e-3);
    }
    await engine.close();
  });
});
