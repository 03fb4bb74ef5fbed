/** inspectPicture on cut, damaged and random bytes: it always has an answer, and never a wrong ok. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodePicture, inspectPicture } from '../../src/images/decode.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { open, somePixels } from '../support/pictures.ts';

const pixels = somePixels(120, 90, 7);
const whole: Buffer[] = [];

beforeAll(async () => {
  whole.push(
    await open(pixels).jpeg().toBuffer(),
    await open(pixels).jpeg({ progressive: true }).toBuffer(),
    await open(pixels).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    await open(pixels).greyscale().jpeg({ quality: 30 }).toBuffer(),
  );
});

const anyWhole = () => fc.constantFrom(...whole);
const STATUSES = ['ok', 'corrupt', 'unsupported', 'too-large'];

describe('inspectPicture', () => {
  it('never takes a JPEG for whole that lacks more than its last two bytes', async () => {
    const cuts = fc.oneof(fc.integer({ min: 3, max: 64 }), fc.integer({ min: 3, max: 20_000 }));
    await fc.assert(
      fc.asyncProperty(anyWhole(), cuts, async (data, cut) => {
        const { status } = await inspectPicture(data.subarray(0, Math.max(0, data.length - cut)));
        expect(status).not.toBe('ok');
      }),
      { numRuns: 300 },
    );
  });

  it('finds good what decodePicture decodes, and nothing else', async () => {
    const others = [
      await open(pixels).png().toBuffer(),
      await open(pixels).png({ progressive: true }).toBuffer(),
      await open(pixels).webp().toBuffer(),
      await open(pixels).webp({ lossless: true }).toBuffer(),
      await open(pixels).gif().toBuffer(),
      await open(pixels).avif().toBuffer(),
      await open(pixels).tiff({ compression: 'deflate' }).toBuffer(),
    ];
    const change = fc.tuple(fc.nat(50_000), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...whole, ...others),
        fc.array(change, { maxLength: 3 }),
        fc.integer({ min: 50, max: 100 }),
        async (data, places, percent) => {
          const damaged = Buffer.from(data.subarray(0, Math.ceil((data.length * percent) / 100)));
          for (const [at, value] of places) damaged[at % damaged.length] = value;
          const { status } = await inspectPicture(damaged);
          const decodes = await decodePicture(damaged).then(
            () => true,
            (error: unknown) => {
              if (error instanceof PkgError && error.code === 'integrity') return false;
              throw error;
            },
          );
          fc.pre(status === 'ok' || status === 'corrupt');
          expect([status, decodes]).toEqual([decodes ? 'ok' : 'corrupt', decodes]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('has an answer for random bytes, with or without the start of a known format', async () => {
    const starts = [
      ...['', 'ffd8ffe000104a46494600010100000100010000', '89504e470d0a1a0a0000000d49484452'],
      ...['524946462400000057454250565038', '0000001c66747970617669660000000061766966'],
      ...['47494638396101000100', '49492a0008000000', '4d4d002a00000008', '49492b0008000000'],
    ].map((hex) => Buffer.from(hex, 'hex'));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.uint8Array({ maxLength: 300 }),
        async (start, rest) => {
          const { status } = await inspectPicture(Buffer.concat([start, rest]));
          expect(STATUSES).toContain(status);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('has an answer for pictures with bytes changed, and the same one twice', async () => {
    const changes = fc.array(fc.tuple(fc.nat(20_000), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(anyWhole(), changes, async (data, places) => {
        const damaged = Buffer.from(data);
        for (const [at, value] of places) damaged[at % damaged.length] = value;
        const found = await inspectPicture(damaged);
        expect(STATUSES).toContain(found.status);
        expect(await inspectPicture(damaged)).toEqual(found);
      }),
      { numRuns: 200 },
    );
  });
});
