/**
 * Draws the sample data set anew: `node manifests/sample/generate.mjs` rewrites the files beside it.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { retake, take } from './drawing/photo.mjs';
import { plan } from './drawing/plan.mjs';
import { Random } from './drawing/random.mjs';
import { compose } from './drawing/scene.mjs';
import { boxesTable, classesTable, hierarchy, imagesTable } from './tables.mjs';

/** @import { Bytes } from './drawing/photo.mjs' */
/** @import { Spec } from './drawing/plan.mjs' */
/** @import { Seen } from './drawing/stage.mjs' */
/** @import { Photo } from './tables.mjs' */

const here = (/** @type {string} */ path) => new URL(path, import.meta.url);

/**
 * A photo under an ImageID and a file name of its own.
 * @param {string} name
 * @param {Spec} spec
 * @param {Seen[]} seen
 * @param {Bytes} bytes
 * @returns {Photo}
 */
function photoOf(name, spec, seen, bytes) {
  const rng = new Random(`name of ${name}`);
  const id = rng.hex(16);
  return { id, file: `${rng.digits(rng.int(8, 11))}_${rng.hex(10)}_o.jpg`, spec, seen, ...bytes };
}

/** The photos of one entry of the plan: one, or two of the same picture. @param {Spec} spec */
async function photosOf(spec) {
  const scene = compose(spec);
  const bytes = await take(spec, scene);
  const photos = [photoOf(spec.name, spec, scene.seen, bytes)];
  if (spec.mess === 'same bytes' || spec.mess === 'near duplicate') {
    const again = await retake(bytes, scene, spec.mess === 'same bytes');
    photos.push(photoOf(`${spec.name} again`, spec, scene.seen, again));
  }
  return photos;
}

/** What the README lists: the photos that are odd in some way. @param {Photo[]} photos */
function report(photos) {
  for (const { id, spec } of photos) {
    const what = [spec.manner, spec.mess].filter(Boolean).join(', ');
    if (what) console.log(`${id}  ${what}`);
  }
  console.log(`${photos.length} photos`);
}

/** @type {Photo[]} */
const inOrder = [];
for (const spec of plan()) inOrder.push(...(await photosOf(spec)));
const photos = new Random('order').shuffle(inOrder);

await rm(here('images'), { recursive: true, force: true });
await mkdir(here('images'));
for (const { file, served } of photos) {
  if (served) await writeFile(here(`images/${file}`), served);
}
await writeFile(here('train-images-boxable-with-rotation.csv'), imagesTable(photos));
await writeFile(here('train-annotations-bbox.csv'), boxesTable(photos));
await writeFile(here('class-descriptions-boxable.csv'), classesTable());
await writeFile(here('bbox_labels_hierarchy.json'), hierarchy());
report(photos);
