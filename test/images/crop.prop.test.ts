/** cropRectangle for any box in any picture. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cropRectangle } from '../../src/images/crop.ts';

const side = fc.integer({ min: 1, max: 20_000 });
const padding = fc.double({ min: 0, max: 10, noNaN: true });

/** A span 0 <= min < max <= 1, written with six decimals as in the tables, or with any. */
const span = fc.oneof(
  fc
    .tuple(fc.nat(1_000_000), fc.nat(1_000_000))
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => [Math.min(a, b) / 1e6, Math.max(a, b) / 1e6] as const),
  fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
);

const box = fc
  .tuple(span, span)
  .map(([[xMin, xMax], [yMin, yMax]]) => ({ xMin, xMax, yMin, yMax }));

describe('cropRectangle', () => {
  it('lies in the picture and has at least one pixel', () => {
    fc.assert(
      fc.property(box, side, side, padding, (corners, width, height, pad) => {
        const { leftPx, topPx, widthPx, heightPx } = cropRectangle(corners, width, height, pad);
        for (const value of [leftPx, topPx, widthPx, heightPx]) {
          expect(Number.isInteger(value)).toBe(true);
        }
        expect(leftPx).toBeGreaterThanOrEqual(0);
        expect(topPx).toBeGreaterThanOrEqual(0);
        expect(widthPx).toBeGreaterThanOrEqual(1);
        expect(heightPx).toBeGreaterThanOrEqual(1);
        expect(leftPx + widthPx).toBeLessThanOrEqual(width);
        expect(topPx + heightPx).toBeLessThanOrEqual(height);
      }),
      { numRuns: 1000 },
    );
  });

  it('is every pixel that the box touches, and no other, where there is no padding', () => {
    fc.assert(
      fc.property(box, side, side, (corners, width, height) => {
        const found = cropRectangle(corners, width, height, 0);
        expect(found).toEqual({
          leftPx: Math.floor(corners.xMin * width),
          topPx: Math.floor(corners.yMin * height),
          widthPx: Math.ceil(corners.xMax * width) - Math.floor(corners.xMin * width),
          heightPx: Math.ceil(corners.yMax * height) - Math.floor(corners.yMin * height),
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('grows with its padding on every side', () => {
    fc.assert(
      fc.property(box, side, side, padding, padding, (corners, width, height, a, b) => {
        const small = cropRectangle(corners, width, height, Math.min(a, b));
        const large = cropRectangle(corners, width, height, Math.max(a, b));
        expect(large.leftPx).toBeLessThanOrEqual(small.leftPx);
        expect(large.topPx).toBeLessThanOrEqual(small.topPx);
        expect(large.leftPx + large.widthPx).toBeGreaterThanOrEqual(small.leftPx + small.widthPx);
        expect(large.topPx + large.heightPx).toBeGreaterThanOrEqual(small.topPx + small.heightPx);
      }),
    );
  });

  it('of a box inside another lies inside the other’s', () => {
    fc.assert(
      fc.property(box, box, side, side, (a, b, width, height) => {
        const around = {
          xMin: Math.min(a.xMin, b.xMin),
          xMax: Math.max(a.xMax, b.xMax),
          yMin: Math.min(a.yMin, b.yMin),
          yMax: Math.max(a.yMax, b.yMax),
        };
        const inner = cropRectangle(a, width, height, 0);
        const outer = cropRectangle(around, width, height, 0);
        expect(outer.leftPx).toBeLessThanOrEqual(inner.leftPx);
        expect(outer.topPx).toBeLessThanOrEqual(inner.topPx);
        expect(outer.leftPx + outer.widthPx).toBeGreaterThanOrEqual(inner.leftPx + inner.widthPx);
        expect(outer.topPx + outer.heightPx).toBeGreaterThanOrEqual(inner.topPx + inner.heightPx);
      }),
    );
  });
});
