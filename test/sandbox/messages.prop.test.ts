/** Messages out of a sandbox: whatever arrives, in whatever pieces, is a message within limits or an error. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { formatMessage, MessageReader } from '../../src/sandbox/messages.ts';

const LIMITS = { headerBytes: 100_000, bodyBytes: 100_000 };

/** Cuts bytes at places given as fractions. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const ends = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  let start = 0;
  return ends.map((end) => {
    const piece = bytes.slice(start, end);
    start = end;
    return piece;
  });
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

describe('MessageReader', () => {
  it('reads what formatMessage wrote, cut up anyhow', () => {
    const message = fc.tuple(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.uint8Array({ maxLength: 500 }),
      cuts,
    );
    fc.assert(
      fc.property(message, ([header, body, places]) => {
        const bytes = Buffer.concat(formatMessage(header, [body]));
        const reader = new MessageReader();
        const read = pieces(bytes, places).map((piece) => reader.add(piece, LIMITS));
        const found = read.filter((one) => one !== undefined);
        expect(found).toHaveLength(1);
        expect(found[0]?.header).toEqual(JSON.parse(JSON.stringify(header)));
        expect(found[0]?.body).toEqual(body);
      }),
    );
  });

  it('takes any bytes for a message within its limits, for the beginning of one, or for none', () => {
    const limits = { headerBytes: 20, bodyBytes: 20 };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), cuts, (bytes, places) => {
        const reader = new MessageReader();
        try {
          for (const piece of pieces(bytes, places)) {
            const message = reader.add(piece, limits);
            if (message !== undefined) expect(message.body.length).toBeLessThanOrEqual(20);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(PkgError);
          expect(error).toMatchObject({ code: 'manifest' });
        }
      }),
    );
  });

  it('refuses a length beyond the limits before its bytes are there', () => {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32LE(2 ** 31, 4);
    expect(() => new MessageReader().add(prefix, LIMITS)).toThrow('answered in place of');
  });
});
