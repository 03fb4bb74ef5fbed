/** Pictures for tests, made with sharp from seeded noise and gradients. */
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Pixels } from '../../src/images/images.ts';

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A picture with coarse shapes and a little noise, different for each seed. */
export function somePixels(widthPx: number, heightPx: number, seed: number): Pixels {
  const random = seededRandom(seed);
  const shapes = Array.from({ length: 12 }, () => ({
    x: random() * widthPx,
    y: random() * heightPx,
    radius: (0.1 + random() / 3) * Math.max(widthPx, heightPx),
    colour: [random() * 255, random() * 255, random() * 255] as const,
  }));
  const data = Buffer.alloc(3 * widthPx * heightPx, 128);
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      const shape = shapes.findLast((one) => (one.x - x) ** 2 + (one.y - y) ** 2 < one.radius ** 2);
      const noise = random() * 6;
      for (let channel = 0; channel < 3; channel++) {
        data[3 * (y * widthPx + x) + channel] = (shape?.colour[channel] ?? 128) * 0.97 + noise;
      }
    }
  }
  return { data, widthPx, heightPx };
}

/** Pixels as a sharp pipeline, to be encoded. */
export function open({ data, widthPx, heightPx }: Pixels): Sharp {
  return sharp(data, { raw: { width: widthPx, height: heightPx, channels: 3 } });
}

/** A PNG of a declared size with next to no data. */
export function bombPng(widthPx: number, heightPx: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(widthPx, 0);
  header.writeUInt32BE(heightPx, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[pngChunk('IHDR', header), pngChunk('IDAT', Buffer.from('789c010000ffff00000001', 'hex'))],
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** A JPEG with its last scan repeated until it has so many scans. */
export function manyScans(jpeg: Buffer, scans: number): Buffer {
  const start = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = jpeg.subarray(start, jpeg.length - 2);
  const repeated = Array.from({ length: scans - 1 }, () => scan);
  return Buffer.concat([jpeg.subarray(0, jpeg.length - 2), ...repeated, jpeg.subarray(-2)]);
}

/** The mean of each channel. */
export function meanColour({ data, widthPx, heightPx }: Pixels): readonly number[] {
  const sums = [0, 0, 0];
  for (let index = 0; index < data.length; index++) {
    sums[index % 3] = (sums[index % 3] ?? 0) + (data[index] ?? 0);
  }
  return sums.map((sum) => sum / (widthPx * heightPx));
}

/** The colour of one pixel. */
export function pixelAt(pixels: Pixels, x: number, y: number): readonly number[] {
  return [...pixels.data.subarray(3 * (y * pixels.widthPx + x), 3 * (y * pixels.widthPx + x) + 3)];
}
