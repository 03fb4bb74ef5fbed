/** How much memory a picture takes once it is decoded, by what its header says. */
import { identifyFormat } from './images.ts';
import { loadSharp, MAX_PIXELS, openUnlimited } from './sharp.ts';

/**
 * Bytes of all pixels as RGB; no pixel is decoded. 0 where the header cannot be read, and never more
 * than the largest picture has that is decoded at all.
 */
export async function decodedBytes(data: Uint8Array): Promise<number> {
  if (identifyFormat(data) === undefined) return 0;
  const sharp = await loadSharp();
  try {
    const { width, height } = await openUnlimited(sharp, data).metadata();
    return 3 * Math.min(width * height, MAX_PIXELS);
  } catch {
    // Whoever decodes it is told why.
    return 0;
  }
}
