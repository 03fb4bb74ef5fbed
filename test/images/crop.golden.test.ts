/** Crops against another cropper: rectangles and mean colours of EXPECTED_CROPS.csv. */
import { expect, it } from 'vitest';
import { cropRectangle, cutCrop } from '../../src/images/crop.ts';
import { decodePicture, inspectPicture } from '../../src/images/decode.ts';
import { mapLimit } from '../../src/runtime/concurrency.ts';
import { type ExpectedRow, expectedRows, OID_MINI, readPhoto } from '../support/oid-mini.ts';
import { meanColour } from '../support/pictures.ts';
import { describeWithShared } from '../support/shared.ts';

/** What two other decoders agree within, and a little for the crop's own JPEG. */
const MAX_DIFFERENCE = 1.5;

const number = (row: ExpectedRow, column: string) => Number(row[column]);

/** Everything that differs between the crops of one photo and what is expected of them. */
async function differences(image: ExpectedRow, crops: readonly ExpectedRow[]): Promise<string[]> {
  const data = await readPhoto(image['File'] ?? '');
  const inspection = await inspectPicture(data);
  const size = { widthPx: number(image, 'Width'), heightPx: number(image, 'Height') };
  expect(inspection).toMatchObject({ status: 'ok', ...size });
  const pixels = await decodePicture(data);
  const found: string[] = [];
  for (const crop of crops) {
    const rectangle = cropRectangle(
      {
        xMin: number(crop, 'XMin'),
        xMax: number(crop, 'XMax'),
        yMin: number(crop, 'YMin'),
        yMax: number(crop, 'YMax'),
      },
      size.widthPx,
      size.heightPx,
      0,
    );
    expect(rectangle).toEqual({
      leftPx: number(crop, 'Left'),
      topPx: number(crop, 'Top'),
      widthPx: number(crop, 'Width'),
      heightPx: number(crop, 'Height'),
    });
    if (image['Mode'] === 'CMYK') continue;
    const encoded = await cutCrop(pixels, rectangle, number(crop, 'Rotation') || 0, {
      format: 'jpeg',
      quality: 92,
    });
    const means = meanColour(await decodePicture(encoded));
    for (const [channel, name] of ['MeanR', 'MeanG', 'MeanB'].entries()) {
      const difference = Math.abs((means[channel] ?? Number.NaN) - number(crop, name));
      if (difference > MAX_DIFFERENCE || Number.isNaN(difference)) {
        found.push(`${image['ImageID'] ?? ''} ${name} differs by ${difference.toFixed(2)}`);
      }
    }
  }
  return found;
}

describeWithShared(OID_MINI)('the crops of the shared data set', () => {
  it('are those that another cropper cuts, in place and in colour', async () => {
    const crops = new Map<string, ExpectedRow[]>();
    for (const row of await expectedRows('CROPS')) {
      const id = row['ImageID'] ?? '';
      crops.set(id, [...(crops.get(id) ?? []), row]);
    }
    expect(crops.size).toBeGreaterThan(0);
    const images = (await expectedRows('IMAGES')).filter((row) => crops.has(row['ImageID'] ?? ''));
    expect(images).toHaveLength(crops.size);
    const found: string[] = [];
    const work = mapLimit(images, 2, (image) =>
      differences(image, crops.get(image['ImageID'] ?? '') ?? []),
    );
    for await (const differing of work) found.push(...differing);
    expect(found).toEqual([]);
  });
});
