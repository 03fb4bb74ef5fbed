/** From encoded bytes to what a network takes: a picture of a fixed size, aspect ratio not kept. */
import { invariant } from '../runtime/errors.ts';
import { decodeUpright } from './decode.ts';
import { loadSharp } from './sharp.ts';

/**
 * The filter pictures are resized by, part of what a network learns: a triangle as wide as the
 * pixels it joins (PIL's BILINEAR), which neither skips pixels nor overshoots at edges.
 */
const KERNEL = 'linear';

/** How pictures are resized here, in words for whoever does it elsewhere. */
export const RESIZE = `sharp's ${KERNEL}, aspect ratio not kept, from all pixels`;

/**
 * Decodes to 8-bit sRGB, rows top to bottom, three bytes a pixel without padding:
 * `heightPx * widthPx * 3` bytes. Upright as EXIF says; transparency is laid over white. All pixels are
 * decoded before any is resized, since what decoders skip on their way to a small picture depends on
 * the format.
 * @throws PkgError `integrity` where the bytes are no picture that can be used.
 */
export async function decodeToInput(
  bytes: Uint8Array,
  { widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number },
): Promise<Uint8Array> {
  const pixels = await decodeUpright(bytes);
  const sharp = await loadSharp();
  const raw = { width: pixels.widthPx, height: pixels.heightPx, channels: 3 } as const;
  const { data, info } = await sharp(pixels.data, { raw })
    .resize(widthPx, heightPx, { fit: 'fill', kernel: KERNEL })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const isWhole = info.channels === 3 && data.length === heightPx * widthPx * 3;
  invariant(isWhole, `resizing gave ${String(data.length)} bytes`);
  return data;
}
