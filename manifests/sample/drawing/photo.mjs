/** Turns a composed scene into the bytes of a photo, and does to them what time does to photos. */

import sharp from 'sharp';
import { Pen } from './pen.mjs';
import { Random } from './random.mjs';
import { compose } from './scene.mjs';
import { line, oval, rect, roundRect } from './shapes.mjs';

/** @import { Spec } from './plan.mjs' */
/** @import { Scene } from './scene.mjs' */
/**
 * @typedef {{ original: Buffer, served: Buffer | undefined }} Bytes original: what the tables
 *   describe; served: what lies in the folder, if anything
 */

/** Red, green and blue of the light a photo was taken in. */
const LIGHTS = [
  [1, 1, 1],
  [1.04, 1, 0.93],
  [1.08, 0.99, 0.85],
  [0.95, 1, 1.06],
  [1.02, 0.98, 1.03],
  [1.08, 1.07, 1.05],
  [0.84, 0.84, 0.88],
];

const ERROR_PAGE = `<!DOCTYPE html>
<html><head><title>503 Service Unavailable</title></head>
<body><h1>503 Service Unavailable</h1><p>The photo server is having its lunch.</p></body></html>
`;

/**
 * The pixels of a scene, with the light and the grain of a camera.
 * @param {Scene} scene
 * @param {Random} rng
 * @param {number} grain
 */
async function develop({ svg, width, height }, rng, grain) {
  const drawing = sharp(Buffer.from(svg)).flatten().toColourspace('srgb').removeAlpha();
  const pixels = await drawing.raw().toBuffer();
  const light = rng.pick(LIGHTS);
  for (let at = 0; at < pixels.length; at += 3) {
    const noise = (rng.next() + rng.next() - 1) * grain;
    for (let channel = 0; channel < 3; channel++) {
      const value = (pixels[at + channel] ?? 0) * (light[channel] ?? 1) + noise;
      pixels[at + channel] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** The photo as its author stored it. @param {Spec} spec @param {Scene} scene */
async function takeOriginal({ name, mess }, scene) {
  const rng = new Random(`camera ${name}`);
  const jpeg = { quality: rng.int(80, 89), mozjpeg: false };
  const picture = await develop(scene, rng, mess === 'PNG' ? 0 : rng.range(4, 12));
  if (mess === 'PNG') return picture.png({ compressionLevel: 9 }).toBuffer();
  if (mess === 'WebP') return picture.webp({ quality: 80 }).toBuffer();
  if (mess === 'greyscale') return picture.greyscale().jpeg(jpeg).toBuffer();
  if (mess === 'turned') return picture.rotate(90).jpeg(jpeg).toBuffer();
  return picture.jpeg(jpeg).toBuffer();
}

/** The grey picture that stands for any photo that is gone: a camera, struck out. */
async function placeholder() {
  const pen = new Pen();
  const grey = { stroke: '#a6a6a6', width: 7 };
  pen.path(rect(0, 0, 240, 180), { fill: '#dedede' });
  pen.path(roundRect(70, 62, 100, 66, 10), grey);
  pen.path(roundRect(100, 50, 40, 12, 4), grey);
  pen.path(oval(120, 95, 21), grey);
  pen.path(line(62, 140, 178, 44), grey);
  return sharp(Buffer.from(pen.svg(240, 180)))
    .flatten()
    .greyscale()
    .jpeg({ quality: 80 })
    .toBuffer();
}

/**
 * The bytes of a photo, before and after what befell it.
 * @param {Spec} spec
 * @param {Scene} scene
 * @returns {Promise<Bytes>}
 */
export async function take(spec, scene) {
  const original = await takeOriginal(spec, scene);
  switch (spec.mess) {
    case 'missing':
      return { original, served: undefined };
    case 'cut short':
      return { original, served: original.subarray(0, Math.floor(original.length * 0.55)) };
    case 'replaced': {
      const other = { ...spec, name: `${spec.name}, taken again` };
      return { original, served: await takeOriginal(other, compose(other)) };
    }
    case 'placeholder':
      return { original, served: await placeholder() };
    case 'error page':
      return { original, served: Buffer.from(ERROR_PAGE) };
    case 'empty file':
      return { original, served: Buffer.alloc(0) };
    default:
      return { original, served: original };
  }
}

/**
 * The same photo again: byte for byte, or made smaller and saved once more.
 * @param {Bytes} bytes
 * @param {Scene} scene
 * @param {boolean} exact
 * @returns {Promise<Bytes>}
 */
export async function retake(bytes, { width }, exact) {
  if (exact) return bytes;
  const smaller = sharp(bytes.original).resize({ width: Math.round(width * 0.9) });
  const original = await smaller.jpeg({ quality: 68, mozjpeg: false }).toBuffer();
  return { original, served: original };
}
