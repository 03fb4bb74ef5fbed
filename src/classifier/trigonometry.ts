/** Sine and cosine of the same bits everywhere: fdlibm's polynomials, by + - * alone. */
import { invariant } from '../runtime/errors.ts';

/** Up to here a whole number of quarter turns times `HALF_PI_HIGH` is exact. */
const MAX_RADIANS = 2 ** 20;

/** pi/2 in three parts: the first two have 33 bits each (fdlibm e_rem_pio2.c: pio2_1, pio2_2, pio2_2t). */
const HALF_PI_HIGH = 1.57079632673412561417;
const HALF_PI_MIDDLE = 6.0771005063039659766e-11;
const HALF_PI_LOW = 2.02226624879595063154e-21;

/** An angle in [-pi/4, pi/4] as the sum of two numbers, and the quarter turns taken from it. */
interface Reduced {
  readonly high: number;
  readonly low: number;
  /** 0, 1, 2 or 3. */
  readonly quarters: number;
}

/** The sine, within an ulp; |radians| <= 2^20. */
export function sineOf(radians: number): number {
  return quarterWave(reduce(radians), 0);
}

/** The cosine, within an ulp; |radians| <= 2^20. */
export function cosineOf(radians: number): number {
  return quarterWave(reduce(radians), 1);
}

/** The sine `ahead` quarter turns further on. */
function quarterWave({ high, low, quarters }: Reduced, ahead: number): number {
  switch ((quarters + ahead) % 4) {
    case 0:
      return smallSine(high, low);
    case 1:
      return smallCosine(high, low);
    case 2:
      return -smallSine(high, low);
    default:
      return -smallCosine(high, low);
  }
}

/** Takes whole quarter turns off (fdlibm e_rem_pio2.c, its second step taken always). */
function reduce(radians: number): Reduced {
  invariant(Math.abs(radians) <= MAX_RADIANS, `an angle of ${String(radians)} radians`);
  const turns = Math.floor(radians * (2 / Math.PI) + 0.5);
  if (turns === 0) return { high: radians, low: 0, quarters: 0 };
  const rough = radians - turns * HALF_PI_HIGH;
  const part = turns * HALF_PI_MIDDLE;
  const fine = rough - part;
  const rest = turns * HALF_PI_LOW - (rough - fine - part);
  const high = fine - rest;
  return { high, low: fine - high - rest, quarters: ((turns % 4) + 4) % 4 };
}

/** fdlibm k_sin.c: the sine of x + y, y being the tail of x. */
function smallSine(x: number, y: number): number {
  const z = x * x;
  const v = z * x;
  const upper = z * (z * z) * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10);
  const lower =
    8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 + z * 2.75573137070700676789e-6);
  return x - (z * (0.5 * y - v * (lower + upper)) - y - v * -1.66666666666666324348e-1);
}

/** fdlibm k_cos.c: the cosine of x + y, y being the tail of x. */
function smallCosine(x: number, y: number): number {
  const z = x * x;
  const w = z * z;
  const lower =
    z *
    (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * 2.48015872894767294178e-5));
  const upper =
    w *
    w *
    (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11));
  const half = 0.5 * z;
  const near = 1 - half;
  return near + (1 - near - half + (z * (lower + upper) - x * y));
}
