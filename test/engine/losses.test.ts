/** What is said of a batch: the sum of its losses, how many are right, and how examples count. */
import { describe, expect, it } from 'vitest';
import { conv, dense, FLATTEN, maxPool } from './layers.ts';
import { sample } from './networks.ts';

const INPUT = [6, 7, 3] as const;
const UNITS = { binary: 1, sigmoids: 3, softmax: 4 } as const;
type End = keyof typeof UNITS;

const network = (end: End) => {
  const last = dense(UNITS[end], end === 'softmax' ? 'softmax' : 'sigmoid');
  return [conv(5), maxPool(), FLATTEN, last];
};

/** Of an example, in 64 bits, as Keras has it. */
function lossOf(end: End, row: readonly number[], label: number): number {
  const log = (p: number) => Math.log(Math.min(Math.max(p, 1e-7), 1 - 1e-7));
  if (end === 'softmax') return -log(row[label] ?? NaN);
  const losses = row.map((p, unit) => {
    const y = row.length === 1 ? label : Number(unit === label);
    return -(y * log(p) + (1 - y) * log(1 - p));
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const rowsOf = (probabilities: Float32Array, units: number) =>
  Array.from({ length: probabilities.length / units }, (_, row) => [
    ...probabilities.subarray(row * units, (row + 1) * units),
  ]);

describe.each(['binary', 'sigmoids', 'softmax'] as const)(
  'of a network that ends with %s',
  (end) => {
    const units = UNITS[end];

    it('the loss is the sum over the examples, each times its weight', async () => {
      const { engine, batch } = await sample(INPUT, network(end), { batchSize: 9 });
      const { probabilities, lossSum } = engine.predict(batch);
      const rows = rowsOf(probabilities, units);
      const losses = rows.map((row, index) => lossOf(end, row, batch.labels[index] ?? NaN));
      const sum = losses.reduce((total, loss) => total + loss, 0);
      const weighted = losses.reduce(
        (total, loss, index) => total + loss * (batch.exampleWeights[index] ?? NaN),
        0,
      );
      expect(Math.abs(lossSum / sum - 1)).toBeLessThan(1e-12);
      expect(Math.abs(engine.train(batch).lossSum / weighted - 1)).toBeLessThan(1e-12);
      await engine.close();
    });

    it('an example is right whose class has the largest probability', async () => {
      const { engine, batch } = await sample(INPUT, network(end), { batchSize: 40 });
      const { probabilities, right } = engine.predict(batch);
      const rows = rowsOf(probabilities, units);
      const classes = rows.map((row) =>
        units === 1 ? Number((row[0] ?? NaN) > 0.5) : row.indexOf(Math.max(...row)),
      );
      expect(right).toBe(classes.filter((one, index) => one === batch.labels[index]).length);
      expect(engine.train(batch).right).toBe(right);
      expect(engine.predict({ ...batch, labels: Int32Array.from(classes) }).right).toBe(40);
      await engine.close();
    });

    it('an example of weight 0 adds nothing to the gradient, and one of 2 counts twice', async () => {
      const { engine, batch } = await sample(INPUT, network(end), { batchSize: 4 });
      const gradientsOf = (weights: readonly number[], order = [0, 1, 2, 3]) => {
        const each = batch.pixels.length / 4;
        engine.poison();
        engine.train({
          ...batch,
          learningRate: 0,
          pixels: Uint8Array.from(
            order.flatMap((one) => [...batch.pixels.subarray(one * each, (one + 1) * each)]),
          ),
          labels: Int32Array.from(order, (one) => batch.labels[one] ?? NaN),
          exampleWeights: Float32Array.from(weights),
        });
        return engine.readGradients().flatMap((gradient) => [...gradient]);
      };
      const twice = gradientsOf([2, 1, 1, 0]);
      const repeated = gradientsOf([1, 1, 1, 1], [0, 0, 1, 2]);
      expect(gradientsOf([0, 0, 0, 0]).every((value) => value === 0)).toBe(true);
      await engine.close();
      const largest = Math.max(...twice.map(Math.abs));
      for (const [index, value] of twice.entries()) {
        expect(Math.abs(value - (repeated[index] ?? NaN))).toBeLessThan(1e-6 * largest);
      }
    });

    it('a loss of probabilities of 0 and 1 is finite', async () => {
      const { engine, weights, batch } = await sample(INPUT, network(end), { batchSize: 6 });
      engine.writeWeights(weights.map((weight) => weight.map((value) => value * 1000)));
      const { probabilities, lossSum } = engine.predict(batch);
      await engine.close();
      expect(Math.max(...probabilities)).toBe(1);
      expect(lossSum).toBeGreaterThan(1);
      expect(lossSum).toBeLessThanOrEqual(6 * -Math.log(1e-7) + 1e-6);
    });
  },
);
