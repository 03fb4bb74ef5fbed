/** From encoded bytes to pixels, or to the reason why not. */
import { invariant, PkgError } from '../runtime/errors.ts';
import {
  describeOtherContent,
  FORMAT_EXTENSIONS,
  type ImageFormat,
  identifyFormat,
  type Pixels,
} from './images.ts';
import { countJpegScans } from './jpeg.ts';
import {
  loadSharp,
  MAX_PIXELS,
  MAX_SECONDS,
  openEncoded,
  openUnlimited,
  openUpright,
  type SharpModule,
} from './sharp.ts';
import { isWholeTiff } from './tiff.ts';

/** A picture that can be used, or why it cannot. */
export type Inspection =
  | {
      readonly status: 'ok';
      readonly format: ImageFormat;
      readonly widthPx: number;
      readonly heightPx: number;
    }
  | {
      readonly status: 'corrupt' | 'unsupported' | 'too-large';
      readonly format: ImageFormat | null;
      readonly widthPx?: number;
      readonly heightPx?: number;
      readonly detail: string;
    };

/** Encoders write at most a dozen scans; each costs a pass over all pixels. */
const MAX_JPEG_SCANS = 200;

const CUT_OFF = 'it does not decode to its end';

/** White shows where a picture is transparent. */
const BACKGROUND = '#ffffff';

/**
 * Says whether bytes are a picture that decodes from its first pixel to its last. Text and empty
 * files are `corrupt`: something else came in the photo's place.
 * @throws PkgError `unreachable` where decoding takes longer than any honest picture.
 */
export async function inspectPicture(data: Uint8Array): Promise<Inspection> {
  const format = formatOf(data);
  if (typeof format !== 'string') return format;
  return await decodeWithin<Inspection>(
    async (sharp) => {
      const { width, height } = await openUnlimited(sharp, data).metadata();
      if (width * height > MAX_PIXELS) return tooManyPixels(format, width, height);
      // A small target lets libjpeg skip most of the arithmetic, yet all data is read and checked.
      await openEncoded(sharp, data).resize(32, 32, { fit: 'fill' }).raw().toBuffer();
      return { status: 'ok', format, widthPx: width, heightPx: height };
    },
    () => ({ status: 'corrupt', format, detail: CUT_OFF }),
  );
}

/** The format of bytes that are worth decoding, or why they are not; no pixel is decoded. */
function formatOf(data: Uint8Array): ImageFormat | Exclude<Inspection, { status: 'ok' }> {
  const format = identifyFormat(data);
  if (format === undefined) {
    const detail = describeOtherContent(data);
    return { status: isOtherContent(data) ? 'unsupported' : 'corrupt', format: null, detail };
  }
  if (format === 'JPEG') {
    const scans = countJpegScans(data);
    if (scans > MAX_JPEG_SCANS) {
      return { status: 'too-large', format, detail: `a JPEG of ${String(scans)} scans` };
    }
  }
  if (format === 'TIFF' && !isWholeTiff(data)) {
    return { status: 'corrupt', format, detail: CUT_OFF };
  }
  return format;
}

/**
 * Decodes to 8-bit sRGB in the stored frame: EXIF orientation is ignored, palettes, greys, CMYK and
 * 16 bits are converted (embedded profiles are obeyed), transparency is laid over white.
 * @throws PkgError `integrity` where the bytes do not decode.
 */
export async function decodePicture(data: Uint8Array): Promise<Pixels> {
  return await decodePixels(data, openEncoded);
}

/**
 * Decodes anyone's picture, as `decodePicture` does but upright as its EXIF orientation says: what a
 * viewer shows.
 * @throws PkgError `integrity` that says why the bytes are no picture that can be used.
 */
export async function decodeUpright(data: Uint8Array): Promise<Pixels> {
  const format = formatOf(data);
  if (typeof format !== 'string') throw unusable(format.detail);
  try {
    return await decodePixels(data, openUpright);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    const inspection = await inspectPicture(data);
    throw unusable(inspection.status === 'ok' ? CUT_OFF : inspection.detail, error);
  }
}

function unusable(detail: string, cause?: unknown): PkgError {
  return new PkgError('integrity', `the picture cannot be used: ${detail}`, {
    hint: `Give a whole ${Object.keys(FORMAT_EXTENSIONS).join(', ')} of at most ${String(MAX_PIXELS / 1e6)} megapixels.`,
    cause,
  });
}

async function decodePixels(data: Uint8Array, open: typeof openEncoded): Promise<Pixels> {
  const { data: pixels, info } = await decodeWithin(
    (sharp) =>
      open(sharp, data)
        .flatten({ background: BACKGROUND })
        .toColourspace('srgb')
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true }),
    (cause) => {
      throw new PkgError('integrity', 'the picture does not decode', { cause });
    },
  );
  invariant(info.channels === 3, `sRGB has ${String(info.channels)} channels`);
  return { data: pixels, widthPx: info.width, heightPx: info.height };
}

/**
 * Runs libvips, and `onFailure` where it gives up. Its messages are of no use in a result: the buffer
 * that holds them is shared by all pictures decoded at once. A slow machine must never decide what
 * is hashed, so running out of time is no verdict either.
 */
async function decodeWithin<T>(
  decode: (sharp: SharpModule) => Promise<T>,
  onFailure: (cause: unknown) => T,
): Promise<T> {
  const sharp = await loadSharp();
  const startMs = performance.now();
  try {
    return await decode(sharp);
  } catch (error) {
    if (performance.now() - startMs < (MAX_SECONDS - 1) * 1000) return onFailure(error);
    throw new PkgError('unreachable', 'a picture took too long to decode', {
      hint: 'Run the command again on an idle machine, or leave the picture out by data.query.where.',
      cause: error,
    });
  }
}

function tooManyPixels(format: ImageFormat, widthPx: number, heightPx: number): Inspection {
  const limit = `${String(MAX_PIXELS / 1e6)} megapixels`;
  const detail = `${String(widthPx)} x ${String(heightPx)} pixels are more than ${limit}`;
  return { status: 'too-large', format, widthPx, heightPx, detail };
}

/** Whether bytes are some other kind of picture or media, as against a page or nothing. */
function isOtherContent(data: Uint8Array): boolean {
  return /SVG|BMP|ISO media/.test(describeOtherContent(data));
}
