/** Batches: every example once an epoch, in an order that only the seed and the epoch decide. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AugmentParams } from '../../src/classifier/augment.ts';
import {
  type ExampleSource,
  readBatches,
  type TrainingBatchParams,
} from '../../src/classifier/batches.ts';
import type { Batch } from '../../src/classifier/engine.ts';

const SHAPE = [2, 3, 3] as const;
const BYTES = 18;

const labelOf = (index: number): number => (index * 7) % 3;

/** Examples whose pixels tell which they are, read in any order of time. */
function sourceOf(count: number): ExampleSource {
  return {
    count,
    shape: SHAPE,
    labels: Int32Array.from({ length: count }, (_, index) => labelOf(index)),
    async read(index, into) {
      await new Promise<void>((resolve) => {
        if (index % 3 === 0) setImmediate(resolve);
        else resolve();
      });
      expect(into).toHaveLength(BYTES);
      into.set([index % 256, Math.floor(index / 256)]);
      into.fill(labelOf(index), 2);
    },
  };
}

const PARAMS: TrainingBatchParams = {
  batchSize: 4,
  seed: 42,
  classWeights: [1, 2.5, 0.5],
  augment: undefined,
};

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const epochOf = async (source: ExampleSource, params: TrainingBatchParams, epoch: number) =>
  await collect(readBatches(source, params, { epoch, firstBatch: 0 }));

/** Which examples batches are of, told by their pixels; checks that labels go with them. */
function examplesOf(batches: readonly Batch[]): number[] {
  return batches.flatMap(({ count, pixels, labels }) => {
    expect(pixels).toHaveLength(count * BYTES);
    expect(labels).toHaveLength(count);
    return Array.from({ length: count }, (_, slot) => {
      const own = pixels.subarray(slot * BYTES, (slot + 1) * BYTES);
      const index = (own[0] ?? NaN) + 256 * (own[1] ?? NaN);
      expect(labels[slot]).toBe(labelOf(index));
      expect(own.subarray(2).every((value) => value === labelOf(index))).toBe(true);
      return index;
    });
  });
}

const ascending = (count: number) => [...Array(count).keys()];

describe('the batches of an epoch', () => {
  it('have every example once, one of them being shorter where they do not come out even', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(60), fc.integer({ min: 1, max: 17 }), async (count, batchSize) => {
        const batches = await epochOf(sourceOf(count), { ...PARAMS, batchSize }, 1);
        const examples = examplesOf(batches);
        expect(examples.toSorted((a, b) => a - b)).toEqual(ascending(count));
        expect(batches).toHaveLength(Math.ceil(count / batchSize));
        const short = batches.filter((batch) => batch.count < batchSize);
        expect(short.map((batch) => batch.count)).toEqual(
          count % batchSize === 0 ? [] : [count % batchSize],
        );
      }),
      { numRuns: 50 },
    );
  });

  it('come in an order that only the seed and the epoch decide', async () => {
    const source = sourceOf(40);
    const order = async (params: Partial<TrainingBatchParams>, epoch: number) =>
      examplesOf(await epochOf(source, { ...PARAMS, ...params }, epoch));
    const first = await order({}, 1);
    expect(first).not.toEqual(ascending(40));
    for (const same of [{}, { classWeights: [1, 1, 1] }]) {
      expect(await order(same, 1)).toEqual(first);
    }
    expect(await order({}, 2)).not.toEqual(first);
    expect(await order({ seed: 43 }, 1)).not.toEqual(first);
  });

  it('have the short one at another place in another epoch', async () => {
    const places = new Set<number>();
    for (let epoch = 1; epoch <= 20; epoch += 1) {
      const batches = await epochOf(sourceOf(22), { ...PARAMS, batchSize: 5 }, epoch);
      places.add(batches.findIndex(({ count }) => count === 2));
    }
    expect([...places].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('from one of them on are the same as when all are read', async () => {
    const source = sourceOf(30);
    const all = await epochOf(source, PARAMS, 3);
    for (const firstBatch of [1, 5, 7, 8]) {
      const rest = await collect(readBatches(source, PARAMS, { epoch: 3, firstBatch }));
      expect(rest).toEqual(all.slice(firstBatch));
    }
  });

  it('weigh each example by its class', async () => {
    for (const { labels, exampleWeights } of await epochOf(sourceOf(20), PARAMS, 1)) {
      const expected = [...labels].map((label) => PARAMS.classWeights[label]);
      expect([...exampleWeights]).toEqual(expected);
    }
  });

  it('are not warped where nothing asks for it', async () => {
    for (const { transforms } of await epochOf(sourceOf(9), PARAMS, 1)) {
      expect(transforms).toBeUndefined();
    }
  });
});

describe('the warps of an epoch', () => {
  const augment: AugmentParams = {
    rotationDegrees: 40,
    widthShift: 0.2,
    heightShift: 0.2,
    shear: 0.2,
    zoom: 0.2,
    horizontalFlip: true,
    verticalFlip: false,
    fill: 'nearest',
  };

  /** Of each example its matrix, as text. */
  async function warps(params: Partial<TrainingBatchParams>, epoch: number): Promise<string[]> {
    const batches = await epochOf(sourceOf(25), { ...PARAMS, augment, ...params }, epoch);
    const examples = examplesOf(batches);
    const matrices = batches.flatMap(({ transforms, count }) =>
      Array.from({ length: count }, (_, slot) =>
        (transforms?.subarray(slot * 6, slot * 6 + 6) ?? []).join(' '),
      ),
    );
    return ascending(25).map((example) => matrices[examples.indexOf(example)] ?? '');
  }

  it('are another one for each example, epoch and seed', async () => {
    const all = [await warps({}, 1), await warps({}, 2), await warps({ seed: 43 }, 1)].flat();
    expect(new Set(all).size).toBe(75);
    expect(all[0]?.split(' ')).toHaveLength(6);
  });

  it('do not depend on the batch an example is in', async () => {
    expect(await warps({ batchSize: 9 }, 1)).toEqual(await warps({}, 1));
  });
});

describe('batches without an epoch', () => {
  it('have the examples in their own order, each weighing the same', async () => {
    const batches = await collect(readBatches(sourceOf(11), { batchSize: 4 }));
    expect(batches.map(({ count }) => count)).toEqual([4, 4, 3]);
    expect(examplesOf(batches)).toEqual(ascending(11));
  });
});

describe('reading batches', () => {
  it('goes one batch ahead of who takes them, and no further', async () => {
    const source = sourceOf(20);
    const read: number[] = [];
    const watched: ExampleSource = {
      ...source,
      async read(index, into) {
        read.push(index);
        await source.read(index, into);
      },
    };
    const batches = readBatches(watched, PARAMS, { epoch: 1, firstBatch: 0 });
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(read).toHaveLength(8);
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(read).toHaveLength(12);
    await batches.return(undefined);
  });

  it('fails with what reading an example failed with', async () => {
    const failing: ExampleSource = {
      ...sourceOf(10),
      async read(index, into) {
        if (index === 7) throw new Error('example 7 is gone');
        await sourceOf(10).read(index, into);
      },
    };
    await expect(epochOf(failing, PARAMS, 1)).rejects.toThrow('example 7 is gone');
  });

  it('may end early although the next batch fails', async () => {
    const failing: ExampleSource = {
      ...sourceOf(8),
      read: (index) => (index >= 4 ? Promise.reject(new Error('gone')) : Promise.resolve()),
    };
    for await (const batch of readBatches(failing, { batchSize: 4 })) {
      expect(batch.count).toBe(4);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
});
