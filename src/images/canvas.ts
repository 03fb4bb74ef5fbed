/** Drawing on pixels: frames, words and pasted pictures, for sheets a person looks at. */

import type { Rectangle } from './crop.ts';
import { GLYPH_HEIGHT_PX, GLYPH_WIDTH_PX, glyphRows } from './glyphs.ts';
import type { Pixels } from './images.ts';
import { loadSharp } from './sharp.ts';

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

export const LINE_HEIGHT_PX = GLYPH_HEIGHT_PX + 4;

/** A picture of one colour. */
export function blankCanvas(widthPx: number, heightPx: number, colour: Colour): Pixels {
  const pixels = { data: Buffer.alloc(3 * widthPx * heightPx), widthPx, heightPx };
  fillRectangle(pixels, { leftPx: 0, topPx: 0, widthPx, heightPx }, colour);
  return pixels;
}

/** Fills a rectangle; what lies outside the picture is left out. */
export function fillRectangle(pixels: Pixels, rectangle: Rectangle, colour: Colour): void {
  const right = Math.min(pixels.widthPx, rectangle.leftPx + rectangle.widthPx);
  const bottom = Math.min(pixels.heightPx, rectangle.topPx + rectangle.heightPx);
  for (let y = Math.max(0, rectangle.topPx); y < bottom; y++) {
    for (let x = Math.max(0, rectangle.leftPx); x < right; x++) {
      pixels.data.set(colour, 3 * (y * pixels.widthPx + x));
    }
  }
}

/** Draws a frame just inside a rectangle. */
export function strokeRectangle(
  pixels: Pixels,
  { leftPx, topPx, widthPx, heightPx }: Rectangle,
  colour: Colour,
  linePx: number,
): void {
  const across = { leftPx, widthPx, heightPx: linePx };
  const down = { topPx, heightPx, widthPx: linePx };
  fillRectangle(pixels, { ...across, topPx }, colour);
  fillRectangle(pixels, { ...across, topPx: topPx + heightPx - linePx }, colour);
  fillRectangle(pixels, { ...down, leftPx }, colour);
  fillRectangle(pixels, { ...down, leftPx: leftPx + widthPx - linePx }, colour);
}

/** Writes one line of words with its top left corner at the given place. */
export function drawText(
  pixels: Pixels,
  text: string,
  place: { readonly leftPx: number; readonly topPx: number },
  colour: Colour,
): void {
  for (const [index, character] of Array.from(text).entries()) {
    const left = place.leftPx + index * (GLYPH_WIDTH_PX + 1);
    for (const [row, bits] of glyphRows(character).entries()) {
      for (let column = 0; column < GLYPH_WIDTH_PX; column++) {
        if ((bits & (1 << (GLYPH_WIDTH_PX - 1 - column))) === 0) continue;
        const dot = { leftPx: left + column, topPx: place.topPx + row, widthPx: 1, heightPx: 1 };
        fillRectangle(pixels, dot, colour);
      }
    }
  }
}

/** How wide a line of words is. */
export function textWidthPx(text: string): number {
  return Array.from(text).length * (GLYPH_WIDTH_PX + 1);
}

/** Copies a picture onto another with its top left corner at the given place. */
export function paste(
  target: Pixels,
  source: Pixels,
  place: { readonly leftPx: number; readonly topPx: number },
): void {
  const widthPx = Math.min(source.widthPx, target.widthPx - place.leftPx);
  for (let y = 0; y < source.heightPx && place.topPx + y < target.heightPx; y++) {
    const from = 3 * y * source.widthPx;
    const to = 3 * ((place.topPx + y) * target.widthPx + place.leftPx);
    source.data.copy(target.data, to, from, from + 3 * widthPx);
  }
}

/** The picture scaled to fit into a square of that side; small ones are scaled up. */
export async function fitInto(pixels: Pixels, sidePx: number): Promise<Pixels> {
  const sharp = await loadSharp();
  const scale = sidePx / Math.max(pixels.widthPx, pixels.heightPx);
  const widthPx = Math.max(1, Math.round(pixels.widthPx * scale));
  const heightPx = Math.max(1, Math.round(pixels.heightPx * scale));
  const raw = { width: pixels.widthPx, height: pixels.heightPx, channels: 3 } as const;
  const data = await sharp(pixels.data, { raw })
    .resize(widthPx, heightPx, { fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer();
  return { data, widthPx, heightPx };
}

/** The picture as PNG. */
export async function encodePng(pixels: Pixels): Promise<Buffer> {
  const sharp = await loadSharp();
  const raw = { width: pixels.widthPx, height: pixels.heightPx, channels: 3 } as const;
  return await sharp(pixels.data, { raw }).png({ compressionLevel: 9 }).toBuffer();
}
