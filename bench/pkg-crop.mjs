// pkg's side of the crop benchmark: pkg-crop.mjs TASKS WORKERS
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cutCrop } from '../dist/images/crop.js';
import { decodePicture } from '../dist/images/decode.js';
import { mapLimit } from '../dist/runtime/concurrency.js';
import { photosAtOnce } from '../dist/steps/photo-crops.js';

const ENCODING = { format: 'jpeg', quality: 92 };

/** The size in bytes of each crop of a photo; the photo is decoded once. */
async function cropPhoto({ path, rectangles }) {
  const pixels = await decodePicture(await readFile(path));
  const sizes = [];
  for (const [leftPx, topPx, rightPx, bottomPx] of rectangles) {
    const rectangle = { leftPx, topPx, widthPx: rightPx - leftPx, heightPx: bottomPx - topPx };
    sizes.push((await cutCrop(pixels, rectangle, 0, ENCODING)).length);
  }
  return sizes;
}

const [path, workers] = process.argv.slice(2);
const tasks = JSON.parse(readFileSync(path, 'utf8'));
let crops = 0;
let bytes = 0;
for await (const sizes of mapLimit(tasks, photosAtOnce(Number(workers)), cropPhoto)) {
  crops += sizes.length;
  for (const size of sizes) bytes += size;
}
console.log(JSON.stringify({ photos: tasks.length, crops, bytes }));
