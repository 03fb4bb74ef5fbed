/** The input of a network that runs elsewhere: the same bits as the deterministic engine's. */
import { beforeAll, describe, expect, it } from 'vitest';
import { affineMatrix, drawTransform } from '../../src/classifier/augment.ts';
import { createRandom } from '../../src/classifier/random.ts';
import { createWarper } from '../../src/engine/warper.ts';
import { loadWarper, type Warper } from '../support/warp.ts';

const SIZE = { heightPx: 7, widthPx: 5 };
const SHAPE = [SIZE.heightPx, SIZE.widthPx, 3] as const;
const EXAMPLE = SIZE.heightPx * SIZE.widthPx * 3;

const AUGMENT = {
  ...{ rotationDegrees: 40, widthShift: 0.2, heightShift: 0.2, shear: 10, zoom: 0.2 },
  ...{ horizontalFlip: true, verticalFlip: true },
};

const pixels = Uint8Array.from(
  { length: 3 * EXAMPLE },
  (_, at) => (at * 97 + (at >> 3) * 31) % 256,
);

const example = (index: number) => pixels.subarray(index * EXAMPLE, (index + 1) * EXAMPLE);

describe('createWarper', () => {
  let kernel: Warper;
  beforeAll(async () => {
    kernel = await loadWarper();
  });

  it('divides by 255 where nothing is warped', async () => {
    const warp = await createWarper(SHAPE);
    const made = warp({ count: 3, pixels });
    expect(made).toEqual(Float32Array.from([0, 1, 2].flatMap((n) => [...kernel.copy(example(n))])));
    expect(made[0]).toBe(Math.fround(pixels[0]! * Math.fround(1 / 255)));
  });

  it.each(['nearest', 'reflect', 'wrap', 'constant'] as const)(
    'warps each example by its own map: %s',
    async (fill) => {
      const warp = await createWarper(SHAPE, fill);
      const random = createRandom(1, ['test']);
      const maps = [0, 1, 2].map(() =>
        affineMatrix(drawTransform({ ...AUGMENT, fill }, random, SIZE), SIZE),
      );
      const transforms = Float64Array.from(maps.flatMap((map) => [...map]));
      const picture = { height: SIZE.heightPx, width: SIZE.widthPx, channels: 3 };
      const expected = maps.flatMap((map, n) => [
        ...kernel.warp({ ...picture, pixels: example(n) }, map, fill),
      ]);
      expect(warp({ count: 3, pixels, transforms })).toEqual(Float32Array.from(expected));
    },
  );
});
