/** Pictures: what format some bytes are, by their content alone, and decoded pixels. */

/** The formats that are decoded, by file extension. */
export const FORMAT_EXTENSIONS = {
  JPEG: 'jpg',
  PNG: 'png',
  WebP: 'webp',
  AVIF: 'avif',
  GIF: 'gif',
  TIFF: 'tif',
} as const;

export type ImageFormat = keyof typeof FORMAT_EXTENSIONS;

/** 8-bit sRGB, three bytes a pixel, rows top to bottom without padding. */
export interface Pixels {
  readonly data: Buffer;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** What all workers together may hold of decoded pictures. */
export const MAX_DECODED_BYTES = 512 * 2 ** 20;

/** Bytes of the start of a file that `identifyFormat` looks at. */
const MAGIC_BYTES = 32;

const SIGNATURES: readonly (readonly [ImageFormat, RegExp])[] = [
  ['JPEG', /^\xff\xd8\xff/],
  ['PNG', /^\x89PNG\r\n\x1a\n/],
  ['WebP', /^RIFF....WEBP/s],
  ['AVIF', /^....ftyp(?:avif|avis)/s],
  ['GIF', /^GIF8[79]a/],
  ['TIFF', /^(?:II\*\0|MM\0\*|II\+\0|MM\0\+)/],
];

/** The format of a picture by its first bytes, whatever its name or content type says. */
export function identifyFormat(data: Uint8Array): ImageFormat | undefined {
  const start = Buffer.from(data.subarray(0, MAGIC_BYTES)).toString('latin1');
  return SIGNATURES.find(([, signature]) => signature.test(start))?.[0];
}

/** What bytes that are no picture seem to be, for a person to read. */
export function describeOtherContent(data: Uint8Array): string {
  if (data.length === 0) return 'the file is empty';
  const start = Buffer.from(data.subarray(0, 512)).toString('latin1').trimStart().toLowerCase();
  if (start.startsWith('<svg') || (start.startsWith('<?xml') && start.includes('<svg'))) {
    return 'an SVG drawing';
  }
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'an HTML page';
  if (/^....ftyp/s.test(start)) return 'an ISO media file that is not AVIF';
  if (start.startsWith('bm')) return 'a BMP picture';
  return 'no known picture format';
}
