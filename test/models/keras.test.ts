/** clf.h5 has the same bytes whenever and wherever it is written. */
import { createHash } from 'node:crypto';
import * as h5wasm from 'h5wasm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { formatKeras } from '../../src/models/keras.ts';
import { ARTICLE_MODEL, SAMPLES, SMALL } from './sample-models.ts';

/** What SMALL must be on every machine; it changes with a version of h5wasm or of the format alone. */
const SMALL_SHA256 = 'b8473bbb72a3ba8d52bb1e6ccc454c3ace4f0baccba9452b88337d2a2044c277';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('clf.h5', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is equal on every machine', async () => {
    expect(sha256(await formatKeras(SMALL))).toBe(SMALL_SHA256);
  });

  it.each(Object.entries(SAMPLES))('is equal at any time: %s', async (_, model) => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2001-02-03T04:05:06Z') });
    const early = await formatKeras(model);
    vi.setSystemTime(new Date('2105-12-31T23:59:59Z'));
    expect(sha256(await formatKeras(model))).toBe(sha256(early));
  });

  it('is equal whatever was written before it', async () => {
    const first = sha256(await formatKeras(SMALL));
    for (const model of Object.values(SAMPLES)) await formatKeras(model);
    expect(sha256(await formatKeras(SMALL))).toBe(first);
  });

  it('is equal when many are written at once', async () => {
    const models = [SMALL, ...Object.values(SAMPLES), SMALL];
    const files = await Promise.all(models.map(formatKeras));
    expect(files.map(sha256)).toEqual(
      await Promise.all(models.map(async (model) => sha256(await formatKeras(model)))),
    );
    expect(files.at(-1)).toEqual(files[0]);
  });

  it('would hold the time that it was written at, did we not clear it', async () => {
    // Else the tests above would prove nothing.
    const { FS, File } = await h5wasm.ready.then(() => h5wasm);
    vi.useFakeTimers({ toFake: ['Date'] });
    const written = ['2001-02-03', '2034-05-06'].map((day) => {
      vi.setSystemTime(new Date(day));
      const file = new File('/time.h5', 'w');
      file.create_dataset({ name: 'x', data: new Float32Array(1) });
      file.close();
      return sha256(FS?.readFile('/time.h5') ?? new Uint8Array());
    });
    expect(written[0]).not.toBe(written[1]);
  });

  it('leaves nothing behind in the memory of the library', async () => {
    const before: unknown = h5wasm.FS?.readdir('/');
    await formatKeras(SMALL);
    expect(h5wasm.FS?.readdir('/')).toEqual(before);
  });

  it('is written in well under two seconds for 831,585 weights', async () => {
    await formatKeras(SMALL);
    const start = performance.now();
    const { length } = await formatKeras(ARTICLE_MODEL);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(length).toBeLessThan(4 * 831_585 + 100_000);
  });

  it.each([
    ['a weight is missing', { ...SMALL, weights: SMALL.weights.slice(1) }],
    ['a weight has another size', { ...SMALL, weights: SMALL.weights.toReversed() }],
    ['a number is none', { ...SMALL, weights: SMALL.weights.map((w) => w.map(() => NaN)) }],
    ['a class has no name', { ...SMALL, classes: ['one'] }],
  ])('is not written where %s', async (_, model) => {
    await expect(formatKeras(model)).rejects.toThrow('invariant broken');
  });
});
