/** Members, records and segments as fast-check makes them, and what hostile bytes may lead to. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type FinishedPack, PACK_BUFFER_BYTES, PackWriter } from '../../src/packs/pack-file.ts';
import type { IndexRecord, RecordKind } from '../../src/packs/packs.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { type Digest, digestOf } from '../../src/store/digest.ts';

export interface Member {
  readonly kind: RecordKind;
  readonly digest: Digest;
  readonly data: Uint8Array;
}

const anyKind: fc.Arbitrary<RecordKind> = fc.constantFrom('whole', 'chunked');

export const anyMembers: fc.Arbitrary<Member[]> = fc
  .uniqueArray(fc.uint8Array({ maxLength: 40 }), {
    selector: (data) => digestOf(data),
    minLength: 1,
    maxLength: 20,
  })
  .chain((bodies) =>
    fc
      .array(anyKind, { minLength: bodies.length, maxLength: bodies.length })
      .map((kinds) =>
        bodies.map((data, index) => ({ kind: kinds[index]!, digest: digestOf(data), data })),
      ),
  );

const buffer = Buffer.alloc(PACK_BUFFER_BYTES);

export function packOf(members: readonly Member[]): FinishedPack {
  const writer = new PackWriter(buffer);
  for (const { kind, digest, data } of members) writer.add(kind, digest, data);
  const pack = writer.finish();
  return { ...pack, data: Buffer.from(pack.data) };
}

/** Packs of the same few members, so that a digest may lie in several. */
export const anyPacks: fc.Arbitrary<FinishedPack[]> = fc
  .array(fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 })
  .map((packs) =>
    packs.map((numbers) =>
      packOf(
        numbers.map((number) => {
          const data = Buffer.from(`member ${String(number)}`);
          return { kind: 'whole', digest: digestOf(data), data };
        }),
      ),
    ),
  );

export const inOrder = (records: Iterable<IndexRecord>): IndexRecord[] =>
  [...records].sort((a, b) => (a.digest + a.pack < b.digest + b.pack ? -1 : 1));

interface Damage {
  readonly flips: readonly (readonly [place: number, bits: number])[];
  readonly cut: number;
  readonly extra: Uint8Array;
}

/** Bytes changed at random places, then cut or lengthened. */
export const anyDamage: fc.Arbitrary<Damage> = fc.record({
  flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
  cut: fc.oneof(fc.constant(0), fc.nat(60)),
  extra: fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 40 })),
});

export function damage(bytes: Uint8Array, { flips, cut, extra }: Damage): Buffer {
  const damaged = Buffer.concat([bytes.subarray(0, Math.max(0, bytes.length - cut)), extra]);
  for (const [place, bits] of flips) {
    if (damaged.length > 0) damaged[place % damaged.length]! ^= bits;
  }
  return damaged;
}

/** Runs a parser on bytes of a stranger: what it throws is an integrity error. */
export function parseHostile<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
    return undefined;
  }
}
