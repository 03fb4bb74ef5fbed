/** Exponential and logarithm to 200 bits, by whole numbers alone. */

/** Numbers are whole multiples of 2^-BITS. */
const BITS = 256n;
const ONE = 1n << BITS;

/** The fraction and exponent of a 64-bit float: value = fraction * 2^exponent. */
function partsOf(value: number): { fraction: bigint; exponent: bigint } {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
  const stored = (bits >> 52n) & 0x7ffn;
  const low = bits & ((1n << 52n) - 1n);
  const fraction = stored === 0n ? low : low | (1n << 52n);
  const exponent = (stored === 0n ? 1n : stored) - 1075n;
  return { fraction: bits >> 63n === 1n ? -fraction : fraction, exponent };
}

const shift = (value: bigint, by: bigint) => (by >= 0n ? value << by : value >> -by);

/** A float as a multiple of 2^-256; what is below that is cut off. */
function fixed(value: number): bigint {
  const { fraction, exponent } = partsOf(value);
  return shift(fraction, exponent + BITS);
}

/** 2 atanh(numerator / denominator). */
function twiceAtanh(numerator: bigint, denominator: bigint): bigint {
  const ratio = (numerator * ONE) / denominator;
  const square = (ratio * ratio) >> BITS;
  let sum = 0n;
  let term = ratio;
  for (let odd = 1n; term !== 0n && term !== -1n; odd += 2n) {
    sum += term / odd;
    term = (term * square) >> BITS;
  }
  return 2n * sum;
}

const LN2 = twiceAtanh(1n, 3n);

/** e to the power of x, as `scaled` times 2^(twos - 256). */
function exactExponential(x: number): { scaled: bigint; twos: bigint } {
  const whole = fixed(x);
  const twos = (whole + (LN2 >> 1n)) / LN2;
  const rest = whole - twos * LN2;
  let sum = ONE;
  let term = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n += 1n) {
    term = ((term * rest) >> BITS) / n;
    sum += term;
  }
  return { scaled: sum, twos };
}

/** The relative error of a claimed e to the power of x. */
export function errorOfExponential(x: number, claimed: number): number {
  const { scaled, twos } = exactExponential(x);
  const { fraction, exponent } = partsOf(claimed);
  const own = shift(fraction, exponent + BITS - twos);
  return Math.abs(Number(((own - scaled) << 80n) / scaled)) / 2 ** 80;
}

/** The error of a claimed natural logarithm of x > 0, in units of the claim's last place. */
export function errorOfLogarithm(x: number, claimed: number): number {
  const { fraction, exponent } = partsOf(x);
  const length = BigInt(fraction.toString(2).length);
  const unit = 1n << (length - 1n);
  // x = (fraction / unit) * 2^(exponent + length - 1), the first between 1 and 2.
  const exact = twiceAtanh(fraction - unit, fraction + unit) + (exponent + length - 1n) * LN2;
  const place = 2 ** (Math.floor(Math.log2(Math.abs(claimed))) - 52);
  return Math.abs(Number(fixed(claimed) - exact)) / 2 ** Number(BITS) / place;
}
