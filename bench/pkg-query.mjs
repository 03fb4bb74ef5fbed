// pkg's side of the query benchmark: pkg-query.mjs query|index METADATA_FOLDER STORE_FOLDER
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRuntime } from '../dist/runtime/runtime.js';
import { indexTables, queryBoxes } from '../dist/steps/query.js';
import { openStore } from '../dist/store/store.js';

const PARAMS = {
  classes: ['Hamburger', 'Sandwich'],
  descendants: false,
  where: 'NOT IsGroupOf AND NOT IsDepiction',
  imagesPerClass: undefined,
  seed: 42,
};

/** The tables of a folder; their digests are known, as a lockfile would have them. */
function sourcesOf(folder) {
  const { files } = JSON.parse(readFileSync(join(folder, 'BIG.json'), 'utf8'));
  const table = (name) => ({
    path: join(folder, name),
    name,
    digest: files[name].sha256,
    sizeBytes: files[name].bytes,
  });
  const classes = 'class-descriptions-boxable.csv';
  return {
    classes: { path: join(folder, classes), name: classes },
    boxes: [table('train-annotations-bbox.csv')],
    images: [table('train-images-boxable-with-rotation.csv')],
    hierarchy: undefined,
  };
}

const [work, folder, storeFolder] = process.argv.slice(2);
const runtime = createRuntime();
const store = await openStore(storeFolder, Date.now());
if (work === 'index') {
  await indexTables(runtime, store, sourcesOf(folder));
  console.log('{}');
} else {
  const { selection } = await queryBoxes(runtime, store, PARAMS, sourcesOf(folder));
  const { digest } = selection.find(({ path }) => path === 'counts.json');
  const { boxes, images } = JSON.parse(await store.readText(digest));
  console.log(JSON.stringify({ boxes, images }));
}
