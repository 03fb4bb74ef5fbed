/** Crops: the pixel rectangle of a bounding box, and its picture. */
import type { Pixels } from './images.ts';
import { loadSharp } from './sharp.ts';

/** A bounding box as fractions of the stored picture, 0 <= min < max <= 1. */
export interface BoundingBox {
  readonly xMin: number;
  readonly xMax: number;
  readonly yMin: number;
  readonly yMax: number;
}

export interface Rectangle {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

export type CropFormat = 'jpeg' | 'png' | 'webp';

export interface Encoding {
  readonly format: CropFormat;
  /** 1 to 100; without effect on PNG. */
  readonly quality: number;
}

/**
 * The pixels a box covers even in part, `[floor(xMin W), ceil(xMax W)) x [floor(yMin H), ceil(yMax H))`,
 * clipped to the picture. Padding first moves each side out by that fraction of the box's own side.
 */
export function cropRectangle(
  box: BoundingBox,
  widthPx: number,
  heightPx: number,
  paddingFraction: number,
): Rectangle {
  const [leftPx, rightPx] = pixelSpan(box.xMin, box.xMax, widthPx, paddingFraction);
  const [topPx, bottomPx] = pixelSpan(box.yMin, box.yMax, heightPx, paddingFraction);
  return { leftPx, topPx, widthPx: rightPx - leftPx, heightPx: bottomPx - topPx };
}

function pixelSpan(
  min: number,
  max: number,
  sidePx: number,
  paddingFraction: number,
): readonly [number, number] {
  const padding = (max - min) * paddingFraction;
  const start = Math.min(sidePx - 1, Math.max(0, Math.floor((min - padding) * sidePx)));
  const end = Math.min(sidePx, Math.ceil((max + padding) * sidePx));
  return [start, Math.max(start + 1, end)];
}

/**
 * Cuts and encodes a rectangle, turned counter-clockwise by 0, 90, 180 or 270 degrees. JPEG keeps
 * full colour resolution, since halving it shifts the mean of crops of a few pixels by up to 2, and
 * the standard Huffman tables: fitted ones cost a third more time to save a twentieth of the bytes.
 */
export async function cutCrop(
  pixels: Pixels,
  rectangle: Rectangle,
  turnDegrees: number,
  encoding: Encoding,
): Promise<Buffer> {
  const sharp = await loadSharp();
  const { leftPx: left, topPx: top, widthPx: width, heightPx: height } = rectangle;
  const raw = { width: pixels.widthPx, height: pixels.heightPx, channels: 3 } as const;
  const cut = sharp(pixels.data, { raw }).extract({ left, top, width, height });
  const turned = turnDegrees === 0 ? cut : cut.rotate(360 - turnDegrees);
  switch (encoding.format) {
    case 'jpeg':
      return await turned
        .jpeg({ quality: encoding.quality, chromaSubsampling: '4:4:4', optimiseCoding: false })
        .toBuffer();
    case 'png':
      return await turned.png({ compressionLevel: 9 }).toBuffer();
    case 'webp':
      return await turned.webp({ quality: encoding.quality }).toBuffer();
  }
}
