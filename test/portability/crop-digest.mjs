// Cuts and resizes photos and prints digests of the bytes: crop-digest.mjs EVERY-NTH FOLDER...
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cropRectangle, cutCrop } from '../../dist/images/crop.js';
import { decodePicture, decodeUpright, inspectPicture } from '../../dist/images/decode.js';
import { identifyFormat } from '../../dist/images/images.js';
import { lookOf } from '../../dist/images/perceptual-hash.js';
import { decodeToInput } from '../../dist/images/resize.js';

const INPUT = { widthPx: 128, heightPx: 128 };

/** Boxes with how far they are turned and how they are encoded. */
const CROPS = [
  { box: { xMin: 0.1, xMax: 0.83, yMin: 0.2, yMax: 0.91 }, turnDegrees: 0, format: 'jpeg' },
  { box: { xMin: 0.45, xMax: 0.6, yMin: 0.4, yMax: 0.7 }, turnDegrees: 90, format: 'jpeg' },
  { box: { xMin: 0.5, xMax: 0.75, yMin: 0.25, yMax: 0.5 }, turnDegrees: 270, format: 'webp' },
  { box: { xMin: 0.6, xMax: 1, yMin: 0, yMax: 0.2 }, turnDegrees: 180, format: 'png' },
];

const [every, ...folders] = process.argv.slice(2);
const hashes = Object.fromEntries(
  ['inspections', 'pixels', 'crops', 'inputs', 'looks'].map((name) => [name, createHash('sha256')]),
);
const formats = {};
let crops = 0;
for (const folder of folders) {
  for (const [index, name] of readdirSync(folder).sort().entries()) {
    const bytes = readFileSync(join(folder, name));
    const format = identifyFormat(bytes) ?? 'none';
    // Of the common format a sample, of the rare ones all.
    if (format === 'JPEG' && index % Number(every) !== 0) continue;
    formats[format] = (formats[format] ?? 0) + 1;
    await hashPhoto(bytes);
  }
}
process.stdout.write(
  `${JSON.stringify({
    digests: Object.fromEntries(
      Object.entries(hashes).map(([name, hash]) => [name, hash.digest('hex')]),
    ),
    formats,
    crops,
    runtime: `node ${process.versions.node} ${process.arch}`,
  })}\n`,
);

async function hashPhoto(bytes) {
  const inspection = await inspectPicture(bytes);
  hashes.inspections.update(JSON.stringify(inspection));
  if (inspection.status !== 'ok') return;
  const pixels = await decodePicture(bytes);
  hashes.pixels.update(pixels.data);
  hashes.pixels.update((await decodeUpright(bytes)).data);
  hashes.looks.update(JSON.stringify(await lookOf(pixels)));
  hashes.inputs.update(await decodeToInput(bytes, INPUT));
  for (const { box, turnDegrees, format } of CROPS) {
    const rectangle = cropRectangle(box, pixels.widthPx, pixels.heightPx, 0.05);
    const crop = await cutCrop(pixels, rectangle, turnDegrees, { format, quality: 92 });
    hashes.crops.update(crop);
    hashes.inputs.update(await decodeToInput(crop, INPUT));
    crops += 1;
  }
}
