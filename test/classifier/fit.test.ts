/** Fit: epochs, early stopping, going on from any of them, and the chain of states. */
import { describe, expect, it } from 'vitest';
import type { ExampleSource } from '../../src/classifier/batches.ts';
import { type LayerSpec, planNetwork } from '../../src/classifier/classifier.ts';
import type { Engine } from '../../src/classifier/engine.ts';
import {
  type FitEvent,
  type FitParams,
  type FitState,
  fit,
  nextLink,
  startOf,
  updatesOf,
} from '../../src/classifier/fit.ts';
import { initialWeights } from '../../src/classifier/initial-weights.ts';
import { createRandom } from '../../src/classifier/random.ts';
import { createEngine } from '../../src/engine/engine.ts';

const LAYERS: readonly LayerSpec[] = [
  {
    kind: 'conv2d',
    filters: 4,
    kernelSize: 3,
    strides: 1,
    padding: 'valid',
    activation: 'linear',
    useBias: true,
  },
  { kind: 'batchNormalization', momentum: 0.9, epsilon: 0.001 },
  { kind: 'activation', function: 'relu' },
  { kind: 'globalAveragePooling2d' },
  { kind: 'dropout', rate: 0.3 },
  { kind: 'dense', units: 1, activation: 'sigmoid', useBias: true },
];

const NETWORK = planNetwork([8, 8, 3], LAYERS);

const PARAMS: FitParams = {
  seed: 3,
  epochs: 6,
  batchSize: 4,
  learningRate: 0.01,
  schedule: { kind: 'step', everyEpochs: 2, factor: 0.5 },
  classWeights: [1, 2],
  augment: {
    rotationDegrees: 30,
    widthShift: 0.1,
    heightShift: 0.1,
    shear: 5,
    zoom: 0.1,
    horizontalFlip: true,
    verticalFlip: false,
    fill: 'reflect',
  },
  earlyStopping: undefined,
};

/** Examples of two classes, the second brighter, made of a seed. */
function source(count: number, seed: number): ExampleSource {
  const random = createRandom(seed, ['examples']);
  const pixels = Array.from({ length: count }, (_, index) =>
    Uint8Array.from({ length: 192 }, () => Math.floor(random() * 150 + (index % 2) * 100)),
  );
  return {
    count,
    shape: [8, 8, 3],
    labels: Int32Array.from({ length: count }, (_, index) => index % 2),
    read: (index, into) => {
      into.set(pixels[index] ?? []);
      return Promise.resolve();
    },
  };
}

const DATA = { train: source(14, 1), validation: source(6, 2) };

async function openEngine(threads = 1): Promise<Engine> {
  const engine = await createEngine({
    network: NETWORK,
    batchSize: PARAMS.batchSize,
    threads,
    seed: PARAMS.seed,
    training: {
      loss: 'binaryCrossentropy',
      optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
      fill: PARAMS.augment?.fill,
    },
  });
  engine.writeWeights(initialWeights(NETWORK, PARAMS.seed));
  return engine;
}

interface Outcome {
  readonly events: readonly FitEvent[];
  readonly states: readonly FitState[];
  readonly epoch: number;
  readonly final: string;
}

async function run(params: FitParams, from?: FitState, threads = 1): Promise<Outcome> {
  const engine = await openEngine(threads);
  try {
    const events: FitEvent[] = [];
    const training = fit(engine, DATA, params, from ?? startOf(engine));
    let next = await training.next();
    for (; next.done !== true; next = await training.next()) events.push(next.value);
    const states = events.flatMap((event) => (event.kind === 'epoch' ? [event.fit] : []));
    const final = Buffer.from(engine.readState()).toString('base64');
    return { events, states, epoch: next.value, final };
  } finally {
    await engine.close();
  }
}

const base64 = (state: Uint8Array | undefined) => Buffer.from(state ?? []).toString('base64');

describe('a fit', () => {
  it('goes on from any epoch, and on any number of threads, to the same bits', async () => {
    const whole = await run(PARAMS);
    expect(whole.states).toHaveLength(6);
    for (const [index, state] of whole.states.entries()) {
      const rest = await run(PARAMS, state, 1 + (index % 3));
      expect(rest.final).toBe(whole.final);
      expect(rest.states.at(-1)?.rows ?? state.rows).toEqual(whole.states.at(-1)?.rows);
      expect(rest.states.at(-1)?.links ?? state.links).toEqual(whole.states.at(-1)?.links);
    }
  });

  it('tells every iteration of every epoch, one batch of an epoch being shorter', async () => {
    const { events } = await run({ ...PARAMS, epochs: 2 });
    const iterations = events.flatMap((event) => (event.kind === 'iteration' ? [event] : []));
    expect(iterations.map(({ epoch, iteration }) => [epoch, iteration])).toEqual([
      ...[1, 2, 3, 4].map((iteration) => [1, iteration]),
      ...[5, 6, 7, 8].map((iteration) => [2, iteration]),
    ]);
    for (const one of [1, 2]) {
      const sizes = iterations.filter(({ epoch }) => epoch === one).map(({ examples }) => examples);
      expect(sizes.toSorted((a, b) => a - b)).toEqual([2, 4, 4, 4]);
    }
  });

  it('has a row an epoch, with the learning rate of its schedule', async () => {
    const { states } = await run(PARAMS);
    const rows = states.at(-1)?.rows ?? [];
    expect(rows.map(({ learning_rate: rate }) => rate)).toEqual([
      0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025,
    ]);
    for (const row of rows) {
      expect(row.accuracy).toBeGreaterThanOrEqual(0);
      expect(row.val_loss).toBeGreaterThan(0);
    }
  });

  it('says nothing of validation where it has no examples, and refuses to monitor it', async () => {
    const engine = await openEngine();
    const data = { ...DATA, validation: source(0, 2) };
    const one = fit(engine, data, { ...PARAMS, epochs: 1 }, startOf(engine));
    const rows = [];
    for await (const event of one) if (event.kind === 'epoch') rows.push(event.row);
    expect(rows[0]).toMatchObject({ val_loss: null, val_accuracy: null });
    const stopping = { monitor: 'val_loss', patience: 1, minDelta: 0, restoreBest: false } as const;
    const watched = fit(engine, data, { ...PARAMS, earlyStopping: stopping }, startOf(engine));
    await expect(watched.next()).rejects.toMatchObject({ code: 'manifest' });
    await engine.close();
  });

  it('links the states of each 32nd iteration and of each epoch', async () => {
    const { states, events } = await run({ ...PARAMS, epochs: 9 });
    const links = states.at(-1)?.links ?? [];
    expect(links.map(({ iteration }) => iteration)).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36]);
    const given = events.flatMap((event) => (event.kind === 'link' ? [event] : []));
    for (const [index, { link, state }] of given.entries()) {
      expect(nextLink(links[index - 1], link.iteration, state)).toEqual(link);
    }
  });
});

describe('early stopping', () => {
  const stopping = { monitor: 'loss', patience: 1, minDelta: 0.5, restoreBest: true } as const;

  it('ends after so many epochs without an improvement, and leaves the best epoch’s weights', async () => {
    const { states, epoch, final } = await run({ ...PARAMS, epochs: 40, earlyStopping: stopping });
    const rows = states.at(-1)?.rows ?? [];
    expect(rows.length).toBeLessThan(40);
    expect(epoch).toBe(rows.length - 1);
    expect(final).toBe(base64(states[epoch - 1]?.state));
    expect(final).not.toBe(base64(states.at(-1)?.state));
  });

  it('leaves the last weights where the best are not to be restored', async () => {
    const earlyStopping = { ...stopping, restoreBest: false };
    const { states, epoch, final } = await run({ ...PARAMS, epochs: 40, earlyStopping });
    expect(epoch).toBe(states.length);
    expect(final).toBe(base64(states.at(-1)?.state));
    expect(states.at(-1)?.bestState).toBeUndefined();
  });

  it('is found to be over when a stopped training is taken up again', async () => {
    const params = { ...PARAMS, epochs: 40, earlyStopping: stopping };
    const whole = await run(params);
    const again = await run(params, whole.states.at(-1));
    expect(again.events).toEqual([]);
    expect([again.epoch, again.final]).toEqual([whole.epoch, whole.final]);
  });
});

describe('an update done again', () => {
  it('is the same from the middle of an epoch on', async () => {
    const engine = await openEngine();
    const states: Uint8Array[] = [];
    for await (const _ of updatesOf(engine, DATA, PARAMS, { epoch: 1, firstBatch: 0 })) {
      states.push(engine.readState());
    }
    engine.writeState(states[1] ?? new Uint8Array());
    const seen: number[] = [];
    for await (const { iteration } of updatesOf(engine, DATA, PARAMS, {
      epoch: 1,
      firstBatch: 2,
    })) {
      seen.push(iteration);
    }
    expect(seen).toEqual([3, 4]);
    expect(base64(engine.readState())).toBe(base64(states.at(-1)));
    await engine.close();
  });
});
