/** What an index refuses, and its answers for many records. */
import { describe, expect, it } from 'vitest';
import { encodeIndexSegment } from '../../src/packs/index-segment.ts';
import { PackIndex } from '../../src/packs/pack-index.ts';
import type { IndexRecord } from '../../src/packs/packs.ts';
import { type Digest, digestOf, parseDigest } from '../../src/store/digest.ts';

const pack = { digest: digestOf('pack'), sizeBytes: 1000 };

const record = (digest: Digest, offset = 0, sizeBytes = 10): IndexRecord => ({
  ...{ kind: 'whole', digest, pack: pack.digest, offset, sizeBytes },
});

const ordered = ['a', 'b'].map((letter) => parseDigest(letter.repeat(64)));
const [low, high] = [ordered[0]!, ordered[1]!];

describe('an index segment', () => {
  it('is magic, counts, packs and records as docs/format.md says', () => {
    const segment = encodeIndexSegment([record(high, 258, 3), record(low)], [pack]);
    const expected = [
      Buffer.from('PKGINDX1').toString('hex'),
      '0100000002000000',
      `${pack.digest}e8030000`,
      `${low}0100000000000000000a000000`,
      `${high}01000000000201000003000000`,
    ];
    expect(segment.toString('hex')).toBe(expected.join(''));
  });

  it('keeps the first of several places of one digest in one pack', () => {
    const segment = encodeIndexSegment([record(low, 30), record(low, 20), record(low, 20)], [pack]);
    const index = new PackIndex();
    index.add(segment, 'one');
    expect([...index.records()]).toEqual([record(low, 20)]);
  });

  it('numbers digests apart from each other, across segments', () => {
    const index = new PackIndex();
    const [one, two, none] = [digestOf('one'), digestOf('two'), digestOf('none')];
    index.add(encodeIndexSegment([record(low), record(high)], [pack]), 'first');
    index.add(encodeIndexSegment([record(high), record(one), record(two)], [pack]), 'second');
    const numbers = [low, high, one, two].map((digest) => index.numberOf(digest) ?? -1);
    expect(new Set(numbers).size).toBe(4);
    expect(numbers.every((number) => number >= 0 && number < index.sizeRecords)).toBe(true);
    expect(index.numberOf(none)).toBeUndefined();
  });

  it('may be empty', () => {
    const index = new PackIndex();
    index.add(encodeIndexSegment([], []), 'empty');
    expect(index.find(low)).toBeUndefined();
    expect(index.sizeRecords).toBe(0);
  });

  it('names only its own packs', () => {
    expect(() => encodeIndexSegment([record(low)], [])).toThrow('among the packs');
  });
});

describe('an index', () => {
  const RECORD_AT = 16 + 36;
  const refused: [string, (segment: Buffer) => Buffer, string][] = [
    ['another magic', (segment) => segment.fill('X', 0, 1), 'PKGINDX1'],
    ['a byte more', (segment) => Buffer.concat([segment, Buffer.alloc(1)]), 'its head says'],
    ['a huge count', (segment) => segment.fill(0xff, 8, 16), 'its head says'],
    ['no record order', (segment) => segment.fill(0xcc, RECORD_AT, RECORD_AT + 32), 'out of order'],
    ['an unknown kind', (segment) => segment.fill(3, RECORD_AT + 32, RECORD_AT + 33), 'no place'],
    ['an unknown pack', (segment) => segment.fill(1, RECORD_AT + 33, RECORD_AT + 34), 'no place'],
    ['a far offset', (segment) => segment.fill(4, RECORD_AT + 37, RECORD_AT + 39), 'no place'],
    ['a place in the table', (segment) => segment.fill(3, RECORD_AT + 38, RECORD_AT + 39), 'no'],
    ['a pack too small', (segment) => segment.fill(0, RECORD_AT - 4, RECORD_AT), 'cannot have'],
    ['a pack too large', (segment) => segment.fill(9, RECORD_AT - 4, RECORD_AT), 'cannot have'],
  ];

  it.each(refused)('refuses a segment with %s, by name, and stays as it is', (_, harm, why) => {
    const index = new PackIndex();
    const segment = harm(encodeIndexSegment([record(low, 200), record(high)], [pack]));
    expect(() => index.add(segment, 'seg-1')).toThrow(why);
    expect(() => index.add(segment, 'seg-1')).toThrow('index segment seg-1');
    expect([...index.packs(), ...index.records(), ...index.names]).toEqual([]);
  });

  it('refuses a segment that gives a known pack another size', () => {
    const index = new PackIndex();
    index.add(encodeIndexSegment([record(low)], [pack]), 'first');
    const other = encodeIndexSegment([record(high)], [{ ...pack, sizeBytes: 999 }]);
    expect(() => index.add(other, 'second')).toThrow(`it gives pack ${pack.digest} 999 bytes`);
    expect(index.has(high)).toBe(false);
  });

  it('takes a segment of one name once', () => {
    const index = new PackIndex();
    const segment = encodeIndexSegment([record(low)], [pack]);
    for (const _ of [1, 2]) index.add(segment, 'same');
    expect(index.sizeRecords).toBe(1);
    expect([...index.names]).toEqual(['same']);
  });

  it('finds each of 100,000 digests, and none that only begins like one', () => {
    const digests = Array.from({ length: 100_000 }, (_, number) => digestOf(String(number)));
    const index = new PackIndex();
    const records = digests.map((digest, number) => record(digest, number % 900, 7));
    index.add(encodeIndexSegment(records, [pack]), 'many');
    const offsets = digests.map((digest) => index.find(digest)?.offset);
    expect(offsets).toEqual(records.map(({ offset }) => offset));
    const others = digests.map((digest) =>
      parseDigest(digest.slice(0, 63) + (digest.endsWith('0') ? '1' : '0')),
    );
    expect(others.some((digest) => index.has(digest))).toBe(false);
  });

  it('finds digests that all begin alike', () => {
    const digests = Array.from({ length: 3000 }, (_, number) =>
      parseDigest('f'.repeat(56) + number.toString(16).padStart(8, '0')),
    );
    const index = new PackIndex();
    index.add(encodeIndexSegment(digests.map((digest) => record(digest)).reverse(), [pack]), 'f');
    expect(digests.every((digest) => index.has(digest))).toBe(true);
    expect(index.has(parseDigest('f'.repeat(64)))).toBe(false);
    expect(index.has(parseDigest('0'.repeat(64)))).toBe(false);
  });
});
