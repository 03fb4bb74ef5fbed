/** The warp against Keras' own ImageDataGenerator, for the same parameters (make_warp_golden.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { affineMatrix, type FillMode } from '../../src/classifier/augment.ts';
import { loadWarper, type Picture, type Warper } from '../support/warp.ts';

interface KerasTransform {
  readonly theta: number;
  readonly tx: number;
  readonly ty: number;
  readonly shear: number;
  readonly zx: number;
  readonly zy: number;
  readonly flip_horizontal: boolean;
  readonly flip_vertical: boolean;
}

interface Golden {
  readonly pictures: readonly {
    readonly shape: readonly [number, number, number];
    readonly pixels: string;
  }[];
  readonly cases: readonly {
    readonly fill: FillMode;
    readonly picture: number;
    readonly transform: KerasTransform;
    readonly output: string;
  }[];
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'golden/warp.json'), 'utf8'),
) as Golden;

const unpack = (text: string) => Uint8Array.from(inflateSync(Buffer.from(text, 'base64')));

const pictures = golden.pictures.map(({ shape: [height, width, channels], pixels }): Picture => {
  return { height, width, channels, pixels: unpack(pixels) };
});

/** Of 1, which is white. */
const MAX_DIFFERENCE = 1e-5;

/**
 * Whether a pixel's place is a border to within rounding. After half a turn each output's border is
 * read there, and the last bit of NumPy's matrix decides what `wrap` and `constant` make of it.
 */
function isOnBorder({ height, width }: Picture, matrix: Float64Array, index: number): boolean {
  const [row, column] = [Math.floor(index / width), index % width];
  const place = (at: number) => matrix[at]! * row + matrix[at + 1]! * column + matrix[at + 2]!;
  const near = (where: number, side: number) =>
    Math.min(Math.abs(where), Math.abs(where - (side - 1))) < 1e-9;
  return near(place(0), height) || near(place(3), width);
}

describe('the warp', () => {
  let warper: Warper;
  beforeAll(async () => {
    warper = await loadWarper();
  });

  it.each(golden.cases)('is Keras’ for $fill and $transform', (one) => {
    const picture = pictures[one.picture]!;
    const { theta, tx, ty, shear, zx, zy } = one.transform;
    const flips = {
      flipHorizontal: one.transform.flip_horizontal,
      flipVertical: one.transform.flip_vertical,
    };
    const matrix = affineMatrix(
      { thetaDegrees: theta, tx, ty, shearDegrees: shear, zx, zy, ...flips },
      { heightPx: picture.height, widthPx: picture.width },
    );
    const ours = warper.warp(picture, matrix, one.fill);
    const theirs = new Float32Array(unpack(one.output).buffer);
    expect(ours).toHaveLength(theirs.length);
    const differing = theirs.filter(
      (value, index) =>
        !(Math.abs(value - ours[index]!) <= MAX_DIFFERENCE) &&
        !(theta === 180 && isOnBorder(picture, matrix, Math.floor(index / 3))),
    );
    expect(differing).toHaveLength(0);
  });
});
