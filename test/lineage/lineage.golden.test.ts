/** The bytes of a lineage (format 1), and a reader made of `docs/format.md` alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeLineage } from '../../src/lineage/make-lineage.ts';
import { parseTopHash } from '../../src/package/package.ts';
import { streamOf } from '../../src/store/digest.ts';
import { photoPackage } from './sample-lineages.ts';

const GOLDEN = Buffer.from(
  readFileSync(join(import.meta.dirname, 'golden/lineage-1.base64'), 'latin1'),
  'base64',
);

const BASE = { use: 'model' as const, name: 'quilt/base', topHash: 'f'.repeat(64) };

it('is spelt as it always was', async () => {
  const { pkg, files } = photoPackage(
    [
      { id: '000a', author: 'Anna', crops: ['Apple train', 'Apple test'] },
      { id: '000b', author: 'Ben', crops: ['Orange validation'] },
      { id: '000c', author: 'ANNA', status: 'gone' },
    ],
    { model: true, bases: [BASE] },
  );
  const bytes = await makeLineage(pkg, parseTopHash('ab'.repeat(32)), ({ logicalKey }) =>
    streamOf(Buffer.from(files[logicalKey] ?? '')),
  );
  expect(bytes.toString('base64')).toBe(GOLDEN.toString('base64'));
});

it('is read by its description', () => {
  expect(GOLDEN.toString('latin1', 0, 8)).toBe('PKGLINE1');
  const [headBytes, terms, postings, bits, photoBytes] = [0, 1, 2, 3, 4].map((index) =>
    GOLDEN.readUInt32LE(8 + 4 * index),
  ) as [number, number, number, number, number];
  const head: unknown = JSON.parse(GOLDEN.toString('utf8', 28, 28 + headBytes));
  expect(head).toEqual({
    folders: ['images_cropped/Apple/', 'images_cropped/Orange/'],
    licences: ['https://creativecommons.org/licenses/by/2.0/'],
    revisions: [
      { bases: [BASE], hasModel: true, hasPhotos: true, topHash: 'ab'.repeat(32), unread: [] },
    ],
  });
  const termsAt = 28 + headBytes + 4 * 2 ** bits;
  const postingsAt = termsAt + 25 * terms;
  const photosAt = postingsAt + 4 * postings;
  expect(photosAt + photoBytes).toBe(GOLDEN.length);
  const wanted = createHash('sha256').update('anna').digest('hex').slice(0, 32);
  const found = Array.from({ length: terms }, (_, index) => termsAt + 25 * index).find(
    (at) => GOLDEN.toString('hex', at, at + 16) === wanted,
  );
  const at = found ?? 0;
  expect(GOLDEN[at + 16]).toBe(2);
  const [value, count] = [GOLDEN.readUInt32LE(at + 17), GOLDEN.readUInt32LE(at + 21)];
  expect(count).toBe(2);
  const photos = Array.from({ length: count }, (_, index) =>
    GOLDEN.readUInt32LE(postingsAt + 4 * (value + index)),
  ).map((offset) => {
    // Length, one revision, its number, then ImageID, status and author by their lengths.
    const block = GOLDEN.subarray(photosAt + offset + 3);
    const id = block.subarray(1, 1 + (block[0] ?? 0));
    const status = block.subarray(id.length + 2, id.length + 2 + (block[id.length + 1] ?? 0));
    return `${id.toString()} ${status.toString()}`;
  });
  expect(photos).toEqual(['000a ok', '000c gone']);
});
