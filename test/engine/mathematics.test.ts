/** The kernels' exponential, logarithm and hyperbolic tangent against exact values and Math's. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadKernels } from '../../src/engine/kernels.ts';
import { errorOfExponential, errorOfLogarithm } from './exact-mathematics.ts';

type Name = 'exponential' | 'logarithm' | 'hyperbolicTangent';

let kernels: Readonly<Record<string, unknown>> = {};

beforeAll(async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  kernels = new WebAssembly.Instance(await loadKernels(), { env: { memory } }).exports;
});

function call(name: Name, x: number): number {
  const kernel = kernels[name];
  if (typeof kernel !== 'function') throw new Error(`${name} is exported`);
  return Number(Reflect.apply(kernel, undefined, [x]));
}

const exponential = (x: number) => call('exponential', x);
const logarithm = (x: number) => call('logarithm', x);
const tangent = (x: number) => call('hyperbolicTangent', x);

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const any64 = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyRuns = { numRuns: 2000 };

/** The place of a 32-bit float among all of them, so that neighbours are 1 apart. */
function placeOf(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

describe('exponential', () => {
  it('has a relative error below 2e-16', () => {
    const check = (x: number) => {
      expect(errorOfExponential(x, exponential(x))).toBeLessThan(2e-16);
    };
    for (const range of [between(-1, 1), between(-30, 30), between(-708, 709)]) {
      fc.assert(fc.property(range, check), anyRuns);
    }
    for (let k = -1000; k <= 1000; k += 1) check((k + 0.5) * Math.LN2);
  });

  it('is Math.exp rounded to 32 bits, but for one unit in some thousand', () => {
    let others = 0;
    for (let step = -30_000; step <= 30_000; step += 1) {
      const x = Math.fround(step / 1000);
      const apart = placeOf(exponential(x)) - placeOf(Math.exp(x));
      expect(Math.abs(apart)).toBeLessThanOrEqual(1);
      others += Math.abs(apart);
    }
    expect(others).toBeLessThan(6);
  });

  it('is exact at 0 and at the ends of the numbers', () => {
    expect([0, -0, 5e-324, -1e-300].map(exponential)).toEqual([1, 1, 1, 1]);
    expect([710, 1e300, Infinity].map(exponential)).toEqual([Infinity, Infinity, Infinity]);
    expect([-709, -1e300, -Infinity].map(exponential)).toEqual([0, 0, 0]);
    expect(exponential(NaN)).toBeNaN();
  });
});

describe('logarithm', () => {
  it('has an error below one unit in the last place', () => {
    const check = (x: number) => {
      const claimed = logarithm(x);
      if (claimed !== 0) expect(errorOfLogarithm(x, claimed)).toBeLessThan(1);
    };
    const normal = any64.map(Math.abs).filter((x) => x >= 2 ** -1022);
    for (const range of [between(0.5, 2), between(1e-7, 1), normal]) {
      fc.assert(fc.property(range, check), anyRuns);
    }
    for (const exponent of [1, 10, 20, 30, 45, 52]) {
      for (const sign of [1, -1]) check(1 + sign * 2 ** -exponent);
    }
    for (let exponent = -1022; exponent < 1024; exponent += 1) {
      if (exponent !== 0) check(2 ** exponent);
    }
  });

  it('is exact at 1 and at the ends of the numbers', () => {
    expect(logarithm(1)).toBe(0);
    expect([0, -0].map(logarithm)).toEqual([-Infinity, -Infinity]);
    expect(logarithm(Infinity)).toBe(Infinity);
    for (const x of [-1, -5e-324, -Infinity, NaN]) expect(logarithm(x)).toBeNaN();
    expect(logarithm(Number.MAX_VALUE)).toBe(Math.log(Number.MAX_VALUE));
  });
});

describe('hyperbolicTangent', () => {
  it('is Math.tanh to one unit in the last place of 32 bits', () => {
    const float = fc.float({ noNaN: true });
    const small = fc.float({ min: Math.fround(-1e-3), max: Math.fround(1e-3), noNaN: true });
    const usual = fc.float({ min: -10, max: 10, noNaN: true });
    for (const range of [float, small, usual]) {
      fc.assert(
        fc.property(range, (x) => {
          const apart = placeOf(tangent(x)) - placeOf(Math.fround(Math.tanh(x)));
          expect(Math.abs(apart)).toBeLessThanOrEqual(1);
        }),
        { numRuns: 10_000 },
      );
    }
  });

  it('is odd, and exact at 0 and at the ends of the numbers', () => {
    fc.assert(fc.property(fc.float({ noNaN: true }), (x) => tangent(-x) === -tangent(x)));
    expect([0, 1e30, Infinity].map(tangent)).toEqual([0, 1, 1]);
    expect([-1e30, -Infinity].map(tangent)).toEqual([-1, -1]);
    expect(tangent(NaN)).toBeNaN();
    expect(tangent(2 ** -149)).toBe(2 ** -149);
  });

  it('does not jump where its formula changes', () => {
    let before = -1;
    for (let step = -2000; step <= 2000; step += 1) {
      const value = tangent(Math.fround(2 ** -12 * (1 + step * 2 ** -20)));
      expect(value).toBeGreaterThanOrEqual(before);
      before = value;
    }
  });
});
