/** The bounds of a pack, and the words for what is wrong with one. */
import { describe, expect, it } from 'vitest';
import { PACK_BUFFER_BYTES, PackWriter, parsePackTable } from '../../src/packs/pack-file.ts';
import {
  MAX_PACK_BYTES,
  MAX_PACK_MEMBERS,
  MAX_WHOLE_BYTES,
  TARGET_PACK_BYTES,
} from '../../src/packs/packs.ts';
import { digestOf } from '../../src/store/digest.ts';
import { packOf } from './pack-arbitraries.ts';

const text = (content: string) => ({
  kind: 'whole' as const,
  digest: digestOf(content),
  data: Buffer.from(content),
});

const twoTexts = () => packOf([text('first'), text('second')]);

describe('a pack writer', () => {
  it('writes bodies, rows, count and magic as docs/format.md says', () => {
    const pack = twoTexts();
    const row = (code: string, content: string, length: string) =>
      code + digestOf(content) + length;
    const expected = [
      Buffer.from('firstsecond').toString('hex'),
      row('01', 'first', '05000000') + row('01', 'second', '06000000'),
      `02000000${Buffer.from('PKGPACK1').toString('hex')}`,
    ];
    expect(pack.data.toString('hex')).toBe(expected.join(''));
  });

  it('is full from 16 MiB on and never overruns its buffer', () => {
    const writer = new PackWriter();
    const largest = Buffer.alloc(MAX_WHOLE_BYTES);
    writer.add('whole', digestOf('a'), largest);
    const almost = TARGET_PACK_BYTES - writer.sizeBytes - 38;
    writer.add('whole', digestOf('b'), largest.subarray(0, almost));
    expect(writer.sizeBytes).toBe(TARGET_PACK_BYTES - 1);
    expect(writer.isFull).toBe(false);
    writer.add('chunked', digestOf('c'), largest);
    expect(writer.isFull).toBe(true);
    expect(() => writer.add('whole', digestOf('d'), Buffer.alloc(1))).toThrow('full');
    const pack = writer.finish();
    expect(pack.sizeBytes).toBe(PACK_BUFFER_BYTES - 13);
    expect(parsePackTable(pack.data, pack)).toEqual(pack.members);
  });

  it('is full with so many members that its table stays small', () => {
    const writer = new PackWriter();
    for (let number = 0; !writer.isFull; number++) {
      writer.add('whole', digestOf(String(number)), Buffer.alloc(0));
    }
    expect(writer.memberCount).toBe(MAX_PACK_MEMBERS);
    const pack = writer.finish();
    expect(parsePackTable(pack.data, pack)).toHaveLength(MAX_PACK_MEMBERS);
  });

  it('makes the same pack in a buffer that held another', () => {
    const buffer = Buffer.alloc(PACK_BUFFER_BYTES, 0xff);
    const writer = new PackWriter(buffer);
    for (const { kind, digest, data } of [text('first'), text('second')]) {
      writer.add(kind, digest, data);
    }
    expect(writer.finish().digest).toBe(twoTexts().digest);
  });

  it('takes no digest twice, no member over 8 MiB, and is finished once', () => {
    const writer = new PackWriter();
    expect(() => writer.finish()).toThrow('with members');
    const { kind, digest, data } = text('first');
    writer.add(kind, digest, data);
    expect(writer.has(digest)).toBe(true);
    expect(() => writer.add(kind, digest, data)).toThrow('already');
    const tooLarge = Buffer.alloc(MAX_WHOLE_BYTES + 1);
    expect(() => writer.add(kind, digestOf(tooLarge), tooLarge)).toThrow('too large');
    writer.finish();
    expect(() => writer.finish()).toThrow('once');
  });
});

describe('a damaged pack', () => {
  const claim = (data: Buffer) => ({ digest: digestOf(data), sizeBytes: data.length });

  const refused: [string, (data: Buffer) => Buffer, string][] = [
    ['with another magic', (data) => data.fill('X', data.length - 1), 'PKGPACK1'],
    ['that is cut short', (data) => data.subarray(0, 11), 'no table'],
    ['that lacks a body byte', (data) => data.subarray(1), 'its table is of'],
    ['of no members', (data) => data.fill(0, data.length - 12, data.length - 8), '0 members'],
    ['of too many members', (data) => data.fill(9, data.length - 12, data.length - 8), 'not fit'],
    ['with an unknown kind', (data) => data.fill(3, 11, 12), 'the kind of'],
    ['with a member over 8 MiB', (data) => data.fill(1, 44 + 3, 48), 'too long'],
    ['with a digest twice', (data) => (data.copy(data, 48, 11, 48), data), 'twice'],
  ];

  it.each(refused)('%s is refused by name', (_, harm, why) => {
    const data = harm(Buffer.from(twoTexts().data));
    expect(() => parsePackTable(data, claim(data))).toThrow(why);
    expect(() => parsePackTable(data, claim(data))).toThrow(claim(data).digest);
  });

  it('over 32 MiB is refused by its size', () => {
    const { data, digest } = twoTexts();
    const claimed = { digest, sizeBytes: MAX_PACK_BYTES + 1 };
    expect(() => parsePackTable(data, claimed)).toThrow('never so many');
  });
});
