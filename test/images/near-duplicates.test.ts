/** Looks and groups: copies of a picture are found, other pictures are left alone. */
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/images/decode.ts';
import type { Pixels } from '../../src/images/images.ts';
import { groupDuplicates, type LookedAt } from '../../src/images/near-duplicates.ts';
import { colourDifference, hashDistance, lookOf } from '../../src/images/perceptual-hash.ts';
import { mapLimit } from '../../src/runtime/concurrency.ts';
import { digestOf } from '../../src/store/digest.ts';
import { expectedRows, OID_MINI, readPhoto } from '../support/oid-mini.ts';
import { open, somePixels } from '../support/pictures.ts';
import { describeWithShared } from '../support/shared.ts';

async function lookedAt(pixels: Pixels): Promise<LookedAt> {
  return { digest: digestOf(pixels.data), ...(await lookOf(pixels)) };
}

async function scaledAndSavedAgain(pixels: Pixels, scale: number, quality: number) {
  const widthPx = Math.round(pixels.widthPx * scale);
  const jpeg = await open(pixels).resize(widthPx).jpeg({ quality }).toBuffer();
  return await decodePicture(jpeg);
}

/** Which pictures share a group, as lists of indexes. */
function groupsOf(pictures: readonly LookedAt[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [index, name] of groupDuplicates(pictures).entries()) {
    groups.set(name, [...(groups.get(name) ?? []), index]);
  }
  return [...groups.values()].filter((members) => members.length > 1);
}

describe('a look', () => {
  it('is a hash of 256 bits and 64 colours, the same each time', async () => {
    const look = await lookOf(somePixels(100, 80, 1));
    expect(look.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(look.colours).toMatch(/^[0-9a-f]{384}$/);
    expect(await lookOf(somePixels(100, 80, 1))).toEqual(look);
  });

  it('has distances that count bits and levels', () => {
    expect(hashDistance('0'.repeat(64), 'f'.repeat(64))).toBe(256);
    expect(hashDistance('0'.repeat(64), `${'0'.repeat(63)}1`)).toBe(1);
    expect(hashDistance(`8${'0'.repeat(63)}`, '0'.repeat(64))).toBe(1);
    expect(colourDifference('00'.repeat(192), 'ff'.repeat(192))).toBe(255);
    expect(colourDifference('10'.repeat(192), '12'.repeat(192))).toBe(2);
  });

  it('is that of one colour for a picture of one pixel', async () => {
    const look = await lookOf({ data: Buffer.from([1, 2, 3]), widthPx: 1, heightPx: 1 });
    expect(look).toEqual({ hash: '0'.repeat(64), colours: '010203'.repeat(64) });
  });
});

describe('groupDuplicates', () => {
  it('puts copies together: the same bytes, scaled, and saved again', async () => {
    const photo = somePixels(320, 240, 5);
    const other = somePixels(320, 240, 6);
    const pictures = await Promise.all(
      [
        photo,
        other,
        await scaledAndSavedAgain(photo, 0.9, 70),
        { ...photo },
        await scaledAndSavedAgain(photo, 0.5, 85),
        await scaledAndSavedAgain(other, 1, 60),
      ].map(lookedAt),
    );
    expect(groupsOf(pictures)).toEqual([
      [0, 2, 3, 4],
      [1, 5],
    ]);
  });

  it('names a group by its smallest digest, and a picture of its own by its own', async () => {
    const look = await lookOf(somePixels(50, 50, 9));
    const lonely = await lookOf(somePixels(50, 50, 10));
    const pictures = [
      { digest: 'c', ...look },
      { digest: 'a', ...look },
      { digest: 'd', ...lonely },
      { digest: 'b', ...look },
    ];
    expect(groupDuplicates(pictures)).toEqual(['a', 'a', 'd', 'a']);
    expect(groupDuplicates([])).toEqual([]);
  });

  it('tells pictures apart that differ in colour alone', async () => {
    const photo = somePixels(120, 90, 3);
    const data = Buffer.from(photo.data);
    for (let index = 0; index < data.length; index += 3) {
      data[index] = photo.data[index + 2] ?? 0;
      data[index + 2] = photo.data[index] ?? 0;
    }
    expect(groupsOf([await lookedAt(photo), await lookedAt({ ...photo, data })])).toEqual([]);
  });

  it('tells many different pictures apart', async () => {
    const pictures = [];
    for (let seed = 100; seed < 300; seed++)
      pictures.push(await lookedAt(somePixels(48, 36, seed)));
    expect(groupsOf(pictures)).toEqual([]);
  });
});

describeWithShared(OID_MINI)('the photos of the shared data set', () => {
  it('are grouped where they are copies by design, and nowhere else', async () => {
    const rows = (await expectedRows('IMAGES')).filter(({ Status }) => Status?.startsWith('ok'));
    const pictures: LookedAt[] = [];
    const work = mapLimit(rows, 2, async (row) => {
      const data = await readPhoto(row['File'] ?? '');
      return { ...(await lookOf(await decodePicture(data))), digest: digestOf(data) };
    });
    for await (const picture of work) pictures.push(picture);
    const digests = new Map(
      rows.map((row, index) => [row['ImageID'] ?? '', pictures[index]?.digest]),
    );
    const noted = (pattern: RegExp) =>
      rows.flatMap((row) => {
        const original = pattern.exec(row['Note'] ?? '')?.[1];
        return original === undefined ? [] : [[original, row['ImageID'] ?? ''] as const];
      });
    for (const [original, copy] of noted(/same bytes as ([0-9a-zA-Z]+)/)) {
      expect(digests.get(copy)).toBe(digests.get(original));
    }
    const byDesign = rows.filter(({ Note = '' }) => /same bytes|near duplicate/.test(Note));
    const groups = groupsOf(pictures);
    for (const { ImageID } of byDesign) {
      const index = rows.findIndex((row) => row['ImageID'] === ImageID);
      expect(groups.some((members) => members.includes(index))).toBe(true);
    }
    expect(groups).toHaveLength(byDesign.length);
    expect(groups.every((members) => members.length === 2)).toBe(true);
  });
});
