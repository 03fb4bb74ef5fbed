/** Augmentation: an example turned, shifted, sheared, zoomed and flipped as Keras' ImageDataGenerator does. */
import { cosineOf, sineOf } from './trigonometry.ts';

/** What stands beyond the border: SciPy's modes; `constant` is black. */
export type FillMode = 'nearest' | 'reflect' | 'wrap' | 'constant';

/** The numbers by which the kernel `warpExample` knows the modes. */
export const FILL_CODES: Readonly<Record<FillMode, number>> = {
  nearest: 0,
  reflect: 1,
  wrap: 2,
  constant: 3,
};

/** How far examples are moved at most, by Keras' names: 0 or false leaves them as they are. */
export interface AugmentParams {
  /** Keras' rotation_range. */
  readonly rotationDegrees: number;
  /** Fractions of the width and of the height, below 1: width_shift_range, height_shift_range. */
  readonly widthShift: number;
  readonly heightShift: number;
  /** In degrees: shear_range. */
  readonly shear: number;
  /** zoom_range, below 1: from 1 - zoom to 1 + zoom. */
  readonly zoom: number;
  readonly horizontalFlip: boolean;
  readonly verticalFlip: boolean;
  readonly fill: FillMode;
}

/** One drawn movement, by the names of Keras' `apply_transform`. */
export interface Transform {
  readonly thetaDegrees: number;
  /** Pixels; Keras 3 adds tx to the column and ty to the row that is read. */
  readonly tx: number;
  readonly ty: number;
  readonly shearDegrees: number;
  /** Above 1 the picture shrinks; Keras 3 takes zx for columns and zy for rows. */
  readonly zx: number;
  readonly zy: number;
  readonly flipHorizontal: boolean;
  readonly flipVertical: boolean;
}

interface Size {
  readonly heightPx: number;
  readonly widthPx: number;
}

/** How often `drawTransform` calls `uniform`, whatever the parameters. */
export const DRAWS_PER_TRANSFORM = 8;

/**
 * Draws a movement as Keras' `get_random_transform` does, each part evenly from its range, in the
 * order theta, tx, ty, shear, zx, zy, horizontal flip, vertical flip. `uniform` gives numbers in
 * [0, 1) and is called for each part, also where its range is empty, so that turning one on leaves
 * the others as they were.
 */
export function drawTransform(
  params: AugmentParams,
  uniform: () => number,
  { heightPx, widthPx }: Size,
): Transform {
  const between = (low: number, high: number) => low + (high - low) * uniform();
  const around = (range: number) => between(0 - range, range);
  const thetaDegrees = around(params.rotationDegrees);
  const tx = around(params.heightShift) * heightPx;
  const ty = around(params.widthShift) * widthPx;
  const shearDegrees = around(params.shear);
  const zx = between(1 - params.zoom, 1 + params.zoom);
  const zy = between(1 - params.zoom, 1 + params.zoom);
  const flipHorizontal = uniform() < 0.5 && params.horizontalFlip;
  const flipVertical = uniform() < 0.5 && params.verticalFlip;
  return { thetaDegrees, tx, ty, shearDegrees, zx, zy, flipHorizontal, flipVertical };
}

/** A 2 x 3 matrix, row-major; its third row would be 0 0 1. */
type Affine = readonly [number, number, number, number, number, number];

/**
 * From an output's row and column to the place it is read at: row-major 2 x 3, in pixels, the first
 * pixel's centre at 0. It is what `apply_affine_transform` of Keras 3.15 gives SciPy
 * (keras/src/legacy/preprocessing/image.py), with the flips, which Keras does after it, folded in.
 * Keras builds rotation, shift, shear and zoom in that order around (height / 2 - 0.5,
 * width / 2 - 0.5), then exchanges the axes, offsets and all: so `tx`, drawn from the height, moves
 * along the columns, and the centre of a picture that is not square lies beside its middle.
 */
export function affineMatrix(transform: Transform, { heightPx, widthPx }: Size): Float64Array {
  const { tx, ty, zx, zy } = transform;
  const theta = radiansOf(transform.thetaDegrees);
  const shear = radiansOf(transform.shearDegrees);
  const [cosine, sine] = [cosineOf(theta), sineOf(theta)];
  const rotated: Affine = [cosine, -sine, 0, sine, cosine, 0];
  const shifted = compose(rotated, [1, 0, tx, 0, 1, ty]);
  const sheared = compose(shifted, [1, -sineOf(shear), 0, 0, cosineOf(shear), 0]);
  const zoomed = compose(sheared, [zx, 0, 0, 0, zy, 0]);
  const [centreX, centreY] = [heightPx / 2 - 0.5, widthPx / 2 - 0.5];
  const [xx, xy, x, yx, yy, y] = compose(compose([1, 0, centreX, 0, 1, centreY], zoomed), [
    1,
    0,
    -centreX,
    0,
    1,
    -centreY,
  ]);
  const exchanged: Affine = [yy, yx, y, xy, xx, x];
  const flip: Affine = [
    ...(transform.flipVertical ? ([-1, 0, heightPx - 1] as const) : ([1, 0, 0] as const)),
    ...(transform.flipHorizontal ? ([0, -1, widthPx - 1] as const) : ([0, 1, 0] as const)),
  ];
  return Float64Array.from(compose(exchanged, flip));
}

/** numpy.deg2rad. */
function radiansOf(degrees: number): number {
  return degrees * (Math.PI / 180);
}

/** The map that does `inner` first, then `outer`: their matrix product. */
function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [p, q, r, s, t, u] = inner;
  return [
    a * p + b * s,
    a * q + b * t,
    a * r + b * u + c,
    d * p + e * s,
    d * q + e * t,
    d * r + e * u + f,
  ];
}
