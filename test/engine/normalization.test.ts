/** Batch normalization's statistics: of the batch in training, moving ones in prediction. */
import { describe, expect, it } from 'vitest';
import { dense, FLATTEN, GLOBAL_AVERAGE, normalization } from './layers.ts';
import { sample } from './networks.ts';

const MOMENTUM = 0.9;
const EPSILON = 0.01;
const SPECS = [normalization(MOMENTUM, EPSILON), FLATTEN, dense(1, 'sigmoid')];

/** Mean and variance of each channel of some pixels, in 64 bits. */
function statisticsOf(pixels: Uint8Array, channels: number): { mean: number; variance: number }[] {
  return Array.from({ length: channels }, (_, channel) => {
    const own = [...pixels].filter((_value, at) => at % channels === channel).map((v) => v / 255);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
    return { mean, variance };
  });
}

const none = new Float32Array();

describe('batch normalization', () => {
  it.each([
    { batchSize: 1, count: 1 },
    { batchSize: 5, count: 3 },
    { batchSize: 33, count: 33 },
    { batchSize: 33, count: 10 },
  ])(
    'brings its moving statistics on as Keras does, by $count of $batchSize examples',
    async (sized) => {
      const { engine, batch, weights } = await sample([5, 6, 3], SPECS, sized);
      engine.train(batch);
      const [, , mean = none, variance = none] = engine.readWeights();
      await engine.close();
      const [, , oldMean = none, oldVariance = none] = weights;
      for (const [channel, own] of statisticsOf(batch.pixels, 3).entries()) {
        const moved = (old: Float32Array, value: number) =>
          (old[channel] ?? NaN) * MOMENTUM + value * (1 - MOMENTUM);
        expect(mean[channel]).toBeCloseTo(moved(oldMean, own.mean), 6);
        expect(variance[channel]).toBeCloseTo(moved(oldVariance, own.variance), 6);
      }
    },
  );

  it('predicts by the moving statistics, which a prediction leaves alone', async () => {
    const specs = [normalization(MOMENTUM, EPSILON), GLOBAL_AVERAGE, dense(2, 'sigmoid')];
    const { engine, batch, weights } = await sample([4, 4, 3], specs);
    const { probabilities } = engine.predict(batch);
    expect(engine.readWeights()).toEqual(weights);
    await engine.close();
    const [gamma = none, beta = none, mean = none, variance = none, kernel = none, bias = none] =
      weights;
    const each = 4 * 4 * 3;
    for (let example = 0; example < batch.count; example += 1) {
      const pixels = batch.pixels.subarray(example * each, (example + 1) * each);
      const normal = statisticsOf(pixels, 3).map(({ mean: average }, channel) => {
        const deviation = Math.sqrt((variance[channel] ?? NaN) + EPSILON);
        const scaled = ((gamma[channel] ?? NaN) * (average - (mean[channel] ?? NaN))) / deviation;
        return scaled + (beta[channel] ?? NaN);
      });
      for (const unit of [0, 1]) {
        const sum = normal.reduce(
          (total, value, channel) => total + value * (kernel[channel * 2 + unit] ?? NaN),
          bias[unit] ?? NaN,
        );
        const expected = 1 / (1 + Math.exp(-sum));
        expect(probabilities[example * 2 + unit]).toBeCloseTo(expected, 6);
      }
    }
  });

  it('predicts by the statistics that the last update left', async () => {
    const { engine, batch } = await sample([5, 6, 3], SPECS);
    engine.train(batch);
    const after = engine.predict(batch);
    engine.writeWeights(engine.readWeights());
    expect(engine.predict(batch)).toEqual(after);
    await engine.close();
  });
});
