/** Frozen layers: their weights stay to the bit, what follows is trained as if they were not frozen. */
import { describe, expect, it } from 'vitest';
import { planNetwork, type Weights, weightSpecs } from '../../src/classifier/classifier.ts';
import type { Optimizer } from '../../src/classifier/engine.ts';
import { compileNetwork } from '../../src/engine/compile.ts';
import { kernelNumber } from '../../src/engine/kernels.ts';
import { activation, conv, dense, dropout, FLATTEN, maxPool, normalization } from './layers.ts';
import { PLAIN_SGD, sample } from './networks.ts';

const INPUT = [14, 13, 3] as const;

/** Six layers to be kept, of every kind that has weights or memory, and a head. */
const SPECS = [
  conv(8),
  maxPool(),
  conv(9, { padding: 'same', activation: 'linear' }),
  normalization(),
  activation('relu'),
  dropout(0.25),
  FLATTEN,
  dense(6),
  dense(1, 'sigmoid'),
];
const KEPT = 7;

/** The first weights, which the kept layers have: two kernels, two biases, four of normalization. */
const KEPT_WEIGHTS = 8;

const OPTIMIZERS: readonly Optimizer[] = [
  PLAIN_SGD,
  { kind: 'sgd', momentum: 0.9, nesterov: true },
  { kind: 'rmsprop', rho: 0.9, momentum: 0.5, epsilon: 1e-7 },
  { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
];

const bitsOf = (weights: Weights) =>
  weights.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('hex'),
  );

describe('frozen layers', () => {
  it.each(OPTIMIZERS)('keep every bit while the others move, by $kind', async (optimizer) => {
    const { engine, batch, weights } = await sample(INPUT, SPECS, { frozen: KEPT, optimizer });
    for (let iteration = 0; iteration < 5; iteration += 1) engine.train({ ...batch, iteration });
    const [before, after] = [bitsOf(weights), bitsOf(engine.readWeights())];
    await engine.close();
    expect(after.slice(0, KEPT_WEIGHTS)).toEqual(before.slice(0, KEPT_WEIGHTS));
    const head = after.slice(KEPT_WEIGHTS);
    expect(head).toHaveLength(4);
    for (const [index, one] of head.entries()) expect(one).not.toBe(before[KEPT_WEIGHTS + index]);
  });

  it('leave the gradients of the others as they are, to the bit', async () => {
    const specs = SPECS.filter(({ kind }) => kind !== 'batchNormalization');
    const whole = await sample(INPUT, specs);
    whole.engine.train(whole.batch);
    const expected = bitsOf(whole.engine.readGradients());
    const expectedWeights = bitsOf(whole.engine.readWeights());
    await whole.engine.close();
    const names = weightSpecs(whole.network);
    for (let frozen = 1; frozen < specs.length; frozen += 1) {
      const { engine, batch, network } = await sample(INPUT, specs, { frozen });
      engine.train(batch);
      const gradients = bitsOf(engine.readGradients());
      const after = bitsOf(engine.readWeights());
      await engine.close();
      for (const [index, { trainable }] of weightSpecs(network).entries()) {
        const name = `${names[index]?.name ?? ''} of ${names[index]?.layer ?? ''}`;
        if (!trainable) expect(gradients[index], name).toMatch(/^0*$/);
        else
          expect([gradients[index], after[index]], name).toEqual([
            expected[index],
            expectedWeights[index],
          ]);
      }
    }
  });

  it('normalize by the moving statistics in training, as in prediction', async () => {
    const specs = [
      conv(5, { activation: 'linear' }),
      normalization(),
      FLATTEN,
      dense(2, 'softmax'),
    ];
    const { engine, batch } = await sample(INPUT, specs, { frozen: 2 });
    const alike = { ...batch, exampleWeights: new Float32Array(batch.count).fill(1) };
    const predicted = engine.predict(alike);
    const trained = engine.train(alike);
    await engine.close();
    expect(trained).toEqual({ lossSum: predicted.lossSum, right: predicted.right });
  });

  it('are not prepared for again, nor are gradients of theirs or below them computed', () => {
    const network = planNetwork(INPUT, SPECS, KEPT);
    const training = { loss: 'binaryCrossentropy', optimizer: PLAIN_SGD, fill: undefined } as const;
    const { train } = compileNetwork({ network, batchSize: 4, threads: 1, training });
    const program = train?.writes.find(({ address }) => address === train.address)?.words ?? [];
    const [phases = 0] = program;
    const kernels: (number | undefined)[] = [];
    let at = 1;
    for (let phase = 0; phase < phases; phase += 1) {
      const calls = program[at + 2] ?? 0;
      at += 3;
      for (let call = 0; call < calls; call += 1) kernels.push(program[at + 2 * call]);
      at += 2 * calls;
    }
    const count = (name: Parameters<typeof kernelNumber>[0]) =>
      kernels.filter((kernel) => kernel === kernelNumber(name)).length;
    expect(count('gradientOfKernel') + count('gradientOfInput') + count('turnKernel')).toBe(0);
    expect(count('transformKernel') + count('useMoving') + count('endVariance')).toBe(0);
    expect([count('gradientOfDenseKernel'), count('gradientOfDenseInput')]).toEqual([2, 1]);
    expect(count('update')).toBe(4);
  });

  it('have no memory of the optimizer in the state, and a state goes on where it was read', async () => {
    const optimizer = OPTIMIZERS[3] ?? PLAIN_SGD;
    const { engine, batch } = await sample(INPUT, SPECS, { frozen: KEPT, optimizer });
    const whole = await sample(INPUT, SPECS, { optimizer });
    expect(engine.readState().length).toBeLessThan(whole.engine.readState().length);
    await whole.engine.close();
    for (const iteration of [0, 1]) engine.train({ ...batch, iteration });
    const between = engine.readState();
    for (const iteration of [2, 3]) engine.train({ ...batch, iteration });
    const expected = Buffer.from(engine.readState());
    await engine.close();
    const again = await sample(INPUT, SPECS, { frozen: KEPT, optimizer, threads: 2 });
    again.engine.poison();
    again.engine.writeState(between);
    for (const iteration of [2, 3]) again.engine.train({ ...again.batch, iteration });
    expect(expected.equals(Buffer.from(again.engine.readState()))).toBe(true);
    await again.engine.close();
  });

  it('give the same bits with one to four threads', async () => {
    const states: string[] = [];
    for (const threads of [1, 2, 3, 4]) {
      const settings = { frozen: KEPT, threads, batchSize: 19, count: 17 };
      const { engine, batch } = await sample(INPUT, SPECS, settings);
      for (const iteration of [0, 1, 2]) engine.train({ ...batch, iteration });
      states.push(Buffer.from(engine.readState()).toString('base64'));
      await engine.close();
    }
    expect(new Set(states).size).toBe(1);
  });

  it('predict with the weights that are written to them later', async () => {
    const { engine, batch, weights } = await sample(INPUT, SPECS, { frozen: KEPT });
    const before = engine.predict(batch);
    engine.writeWeights(weights.map((values) => values.map((value) => value / 2)));
    expect(engine.predict(batch)).not.toEqual(before);
    engine.writeWeights(weights);
    expect(engine.predict(batch)).toEqual(before);
    await engine.close();
  });
});
