/** Contact sheets: pictures of a known size, the same each time, whatever the classes are called. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodePicture, inspectPicture } from '../../src/images/decode.ts';
import { openStore } from '../../src/store/store.ts';
import { cropSheet, photoSheet } from '../../src/summaries/sheets.ts';
import { open, pixelAt, somePixels } from '../support/pictures.ts';
import { testRuntime } from '../support/runtime.ts';
import { cropsRow, imagesRow, summaryOf } from '../support/summaries.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function setUp(className: string) {
  const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  const photo = await store.putBytes(
    await open(somePixels(60, 40, 1))
      .png()
      .toBuffer(),
  );
  const images = [imagesRow('a', { Digest: photo.digest, WidthPx: '60', HeightPx: '40' })];
  const crops = Array.from({ length: 20 }, (_, index) =>
    cropsRow('a', {
      Class: className,
      LogicalKey: `images_cropped/x/${String(index)}.jpg`,
      Digest: photo.digest,
      ...{ LeftPx: '5', TopPx: '5', WidthPx: '30', HeightPx: '20' },
    }),
  );
  const labels = [{ LabelName: '/m/x', DisplayName: className, Class: className }];
  const { classes } = summaryOf(images, crops, {}, labels);
  return { store, subject: { classes, images, crops, seed: 1 } };
}

describe('the sheets', () => {
  it.each(['Apple', 'a'.repeat(500), '漢字 <b> "x"', ''])(
    'are pictures of a fixed width for a class called %s',
    async (name) => {
      const { store, subject } = await setUp(name);
      const sheet = await cropSheet(testRuntime(), store, subject);
      const photos = await photoSheet(testRuntime(), store, subject);
      expect(await inspectPicture(sheet)).toMatchObject({ status: 'ok', widthPx: 834 });
      expect(await inspectPicture(photos)).toMatchObject({ status: 'ok', widthPx: 1002 });
      expect((await cropSheet(testRuntime(), store, subject)).equals(sheet)).toBe(true);
    },
  );

  it('show a photo with the frame of its box in the colour of its class', async () => {
    const { store, subject } = await setUp('Apple');
    const sheet = await decodePicture(await photoSheet(testRuntime(), store, subject));
    const orange = (x: number, y: number) => pixelAt(sheet, x, y).join() === '213,94,0';
    let framePx = 0;
    for (let y = 40; y < sheet.heightPx; y++) {
      for (let x = 0; x < sheet.widthPx; x++) framePx += orange(x, y) ? 1 : 0;
    }
    // Two pixels wide, around 120 x 80.
    expect(framePx).toBe(2 * (120 + 80) * 2 - 16);
  });

  it('are drawn of no crops and no photos, too', async () => {
    const { store } = await setUp('Apple');
    const subject = { classes: summaryOf([], []).classes, images: [], crops: [], seed: 1 };
    expect(await inspectPicture(await cropSheet(testRuntime(), store, subject))).toMatchObject({
      status: 'ok',
    });
    expect(await inspectPicture(await photoSheet(testRuntime(), store, subject))).toMatchObject({
      status: 'ok',
    });
  });
});
