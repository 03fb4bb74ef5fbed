/** Exponential, logarithm and hyperbolic tangent of only + - * / and bit moves: the same bits everywhere. */

const LN2_HIGH: f64 = 6.9314718036912381649e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const LOG2_E: f64 = 1.442695040888963387;

/** e to the power of x; the error is below 2e-16 of the result. 0 below -708.3, infinite above 709.7. */
export function exponential(x: f64): f64 {
  if (x != x) return x;
  if (x > 709.7) return Infinity;
  if (x < -708.3) return 0;
  const k = nearest(x * LOG2_E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  // Taylor series; |r| <= ln 2 / 2, so that the term left out is below 5e-18.
  let p: f64 = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p * reinterpret<f64>((<i64>k + 1023) << 52);
}

/**
 * The natural logarithm of a normal number above 0; the error is below 1 unit in the last place.
 * Source of the series: FreeBSD's e_log.c, x = 2^k (1 + f), s = f / (2 + f), log(1 + f) = 2 atanh(s).
 */
export function logarithm(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return x;
  const bits = reinterpret<u64>(x);
  let k = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    k++;
  }
  const f = m - 1.0;
  const s = f / (2.0 + f);
  const z = s * s;
  let p: f64 = 1.479819860511658591e-1;
  p = p * z + 1.531383769920937332e-1;
  p = p * z + 1.818357216161805012e-1;
  p = p * z + 2.222219843214978396e-1;
  p = p * z + 2.857142874366239149e-1;
  p = p * z + 3.999999999940941908e-1;
  p = p * z + 6.66666666666673513e-1;
  const half = 0.5 * f * f;
  const count = <f64>k;
  return count * LN2_HIGH - (half - (s * (half + p * z) + count * LN2_LOW) - f);
}

/** 1 / (1 + e to the power of -x). */
export function sigmoid(x: f32): f32 {
  return <f32>(1.0 / (1.0 + exponential(-(<f64>x))));
}

export function hyperbolicTangent(x: f32): f32 {
  const size = abs(<f64>x);
  if (size < 0.000244140625) return <f32>(<f64>x - (<f64>x * <f64>x * <f64>x) / 3.0);
  const result = 1.0 - 2.0 / (exponential(2.0 * size) + 1.0);
  return <f32>(x < 0 ? -result : result);
}
