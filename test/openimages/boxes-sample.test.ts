/** The sample of images a class: how many, which, and what it depends on. */
import { describe, expect, it } from 'vitest';
import type { BoxRow } from '../../src/openimages/openimages.ts';
import { APPLE, box, image, ORANGE, query } from '../support/open-images-tables.ts';

describe('a sample of images a class', () => {
  const ids = Array.from({ length: 40 }, (_, index) => `image${String(index)}`);
  const rows = ids.flatMap((id, index) => [
    box(id),
    ...(index % 2 === 0 ? [box(id, { LabelName: '/m/orange' })] : []),
    ...(index % 3 === 0 ? [box(id, { XMax: '0.7' })] : []),
  ]);
  const images = ids.map((id) => image(id));
  const imagesOf = (boxes: readonly BoxRow[], name: string) => [
    ...new Set(boxes.filter(({ Class }) => Class === name).map(({ ImageID }) => ImageID)),
  ];

  it('has so many images of each class, with all their boxes of it', async () => {
    const { boxes } = await query({ boxes: rows, images }, { imagesPerClass: 7 });
    expect(imagesOf(boxes, 'Apple')).toHaveLength(7);
    expect(imagesOf(boxes, 'Orange')).toHaveLength(7);
    for (const id of imagesOf(boxes, 'Apple')) {
      const own = rows.filter((row) => row.ImageID === id && row.LabelName === '/m/apple');
      const taken = boxes.filter(({ ImageID, Class }) => ImageID === id && Class === 'Apple');
      expect(taken).toHaveLength(own.length);
    }
  });

  it('depends on the seed and on nothing about the files', async () => {
    const sample = { imagesPerClass: 7, seed: 5 };
    const first = await query({ boxes: rows, images }, sample);
    const shuffled = await query(
      { boxes: [...rows].reverse(), images: [...images.slice(9), ...images.slice(0, 9)] },
      { ...sample, concurrency: 1 },
    );
    expect(shuffled).toEqual(first);
    const other = await query({ boxes: rows, images }, { ...sample, seed: 6 });
    expect(imagesOf(other.boxes, 'Apple')).not.toEqual(imagesOf(first.boxes, 'Apple'));
  });

  it('keeps its images when more are asked for, or when images are added', async () => {
    const few = await query({ boxes: rows, images }, { imagesPerClass: 5 });
    const more = await query({ boxes: rows, images }, { imagesPerClass: 9 });
    const wanted = imagesOf(few.boxes, 'Apple');
    expect(imagesOf(more.boxes, 'Apple')).toEqual(expect.arrayContaining(wanted));
    const all = await query({ boxes: rows, images }, { imagesPerClass: 1000 });
    expect(all.counts.boxes).toBe(rows.length);
  });

  it('is drawn after the predicate, and not from rows that are no box', async () => {
    const spoilt = rows.map((row, index) => (index % 4 === 0 ? { ...row, XMax: '2' } : row));
    const { boxes } = await query(
      { boxes: [...spoilt, box('lost')], images },
      { imagesPerClass: 6, where: 'XMax < 0.6 OR XMax > 1', classes: [APPLE, ORANGE] },
    );
    const valid = boxes.filter(({ Fault }) => Fault === '');
    expect(imagesOf(valid, 'Apple')).toHaveLength(6);
    expect(valid.every(({ XMax }) => XMax === '0.500000')).toBe(true);
    expect(boxes.filter(({ Fault }) => Fault === 'orphan')).toHaveLength(1);
  });
});
