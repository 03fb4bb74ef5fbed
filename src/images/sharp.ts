/** The one place that loads sharp, with every loader off but those for the known formats. */
import type { Sharp, SharpOptions } from 'sharp';

/** More pixels are refused before anything is decoded: 100 megapixels are 300 MB as RGB. */
export const MAX_PIXELS = 100_000_000;

/** No honest picture of that size takes longer; past it the command fails, it never guesses. */
export const MAX_SECONDS = 120;

const LOADERS = ['Jpeg', 'Png', 'Webp', 'Heif', 'Nsgif', 'Tiff'];

export type SharpModule = typeof import('sharp').default;

let loaded: Promise<SharpModule> | undefined;

/** sharp, set up once: one thread a picture, no cache, since many pictures run side by side. */
export function loadSharp(): Promise<SharpModule> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.concurrency(1);
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: LOADERS.map((name) => `VipsForeignLoad${name}`) });
    return sharp;
  });
  return loaded;
}

/** Versions of what decodes and encodes, for the toolchain digest; nothing heavy is loaded. */
export const SHARP_VERSION = '0.35.5';

/** Opens encoded bytes: the first picture, as stored, failing where data is cut short. */
export function openEncoded(sharp: SharpModule, data: Uint8Array): Sharp {
  const options: SharpOptions = {
    failOn: 'truncated',
    limitInputPixels: MAX_PIXELS,
    pages: 1,
    autoOrient: false,
  };
  return sharp(data, options).timeout({ seconds: MAX_SECONDS });
}

/** As `openEncoded`, turned and mirrored as the EXIF orientation says. */
export function openUpright(sharp: SharpModule, data: Uint8Array): Sharp {
  return openEncoded(sharp, data).autoOrient();
}

/** Opens encoded bytes of any declared size, to read their header only. */
export function openUnlimited(sharp: SharpModule, data: Uint8Array): Sharp {
  return sharp(data, { limitInputPixels: false, pages: 1, autoOrient: false });
}
