/** The natural logarithm by plain arithmetic: `Math.log` differs between engines in its last bit. */
import { invariant } from '../runtime/errors.ts';

/** The logarithm of 2 in two parts; the first has zeros behind, so that its multiples are exact. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

/** Odd and even coefficients of `(log(1 + s) - log(1 - s) - 2 s) / s` in `s^2`, Remez. */
const ODD = [6.66666666666673513e-1, 2.857142874366239149e-1, 1.818357216161805012e-1] as const;
const LAST = 1.479819860511658591e-1;
const EVEN = [3.999999999940941908e-1, 2.222219843214978396e-1, 1.531383769920937332e-1] as const;

const SMALLEST_NORMAL = 2 ** -1022;
const SQRT_2 = Math.SQRT2;

/**
 * The natural logarithm of a positive, finite, normal number, within one unit in the last place.
 * The method and its coefficients are fdlibm's (`e_log.c`, Sun Microsystems, 1993): `x = 2^k (1 + f)`
 * with `1 + f` around 1, `s = f / (2 + f)`, and a polynomial in `s^2`.
 */
export function naturalLog(x: number): number {
  invariant(x >= SMALLEST_NORMAL && x < Infinity, `no logarithm of ${String(x)}`);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  view.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  const significand = view.getFloat64(0);
  const isLarge = significand > SQRT_2;
  const k = (high >>> 20) - 1023 + (isLarge ? 1 : 0);
  const f = (isLarge ? significand / 2 : significand) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (EVEN[0] + w * (EVEN[1] + w * EVEN[2]));
  const odd = z * (ODD[0] + w * (ODD[1] + w * (ODD[2] + w * LAST)));
  const halfSquare = 0.5 * f * f;
  return k * LN2_HIGH - (halfSquare - (s * (halfSquare + (odd + even)) + k * LN2_LOW) - f);
}
