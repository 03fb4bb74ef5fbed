/** The structure of a JPEG file, walked marker by marker without decoding. */

const MARKER = 0xff;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/**
 * How many scans the first picture of a JPEG file has (ITU-T T.81, annex B). Each costs a pass over
 * all pixels, so a small file with thousands of them is an attack.
 */
export function countJpegScans(data: Uint8Array): number {
  let scans = 0;
  let offset = 2;
  while (offset + 1 < data.length) {
    if (data[offset] !== MARKER) {
      offset = data.indexOf(MARKER, offset);
      if (offset < 0) return scans;
    }
    const code = data[offset + 1] ?? 0;
    if (code === END_OF_IMAGE) return scans;
    if (code === MARKER) {
      offset += 1;
    } else if (code === 0 || code === 1 || (code >= 0xd0 && code <= 0xd8)) {
      offset += 2;
    } else {
      if (code === START_OF_SCAN) scans++;
      offset += 2 + (((data[offset + 2] ?? 0) << 8) | (data[offset + 3] ?? 0));
    }
  }
  return scans;
}
