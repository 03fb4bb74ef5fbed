// A fit on real crops, and how much of its time is in kernels: pkg-fit.mjs DATA FOLDER
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { fit, startOf } from '../dist/classifier/fit.js';
import { cutCrop } from '../dist/images/crop.js';
import { decodePicture } from '../dist/images/decode.js';
import { formatCsv } from '../dist/openimages/csv.js';
import { createRuntime } from '../dist/runtime/runtime.js';
import { openExamples } from '../dist/steps/example-reader.js';
import { makeExamples } from '../dist/steps/examples.js';
import { planTraining } from '../dist/steps/network.js';
import { dataOf, openTraining } from '../dist/steps/training.js';
import { openStore } from '../dist/store/store.js';
import { ARTICLE_MODEL } from './article.mjs';

const COLUMNS = ['LogicalKey', 'ImageID', 'Class', 'Split', 'WidthPx', 'HeightPx'];
const PHOTOS = 160;
const EPOCHS = 2;

const [data, folder] = process.argv.slice(2);
const runtime = createRuntime();
const store = await openStore(folder, Date.now());
const { examples: tree } = await makeExamples(
  runtime,
  store,
  { widthPx: 128, heightPx: 128 },
  await cutCrops(join(data, 'oid-mini')),
);
const examples = await openExamples(runtime, store, tree);
const count = examples.rows.length;
const plan = planTraining(
  { ...ARTICLE_MODEL, fit: { ...ARTICLE_MODEL.fit, epochs: EPOCHS } },
  1,
  ['A', 'B'],
  [count, count],
);
const engine = await openTraining(runtime, plan);
let kernelMs = 0;
const timed = {
  batchSize: engine.batchSize,
  network: engine.network,
  train: (batch) => measure(() => engine.train(batch)),
  predict: (batch) => measure(() => engine.predict(batch)),
  readState: () => engine.readState(),
  writeState: (state) => engine.writeState(state),
};
const start = performance.now();
const events = fit(timed, dataOf(plan, examples), plan.fit, startOf(engine));
while ((await events.next()).done !== true);
const totalMs = performance.now() - start;
await engine.close();
await examples.close();
console.log(
  JSON.stringify({
    examples: count,
    threads: availableParallelism(),
    totalMs,
    kernelShare: kernelMs / totalMs,
  }),
);

function measure(work) {
  const before = performance.now();
  const result = work();
  kernelMs += performance.now() - before;
  return result;
}

/** Crops of the first photos, each with its row, as the examples step takes them. */
async function cutCrops(place) {
  const rows = (name) => parse(readFileSync(join(place, name)), { columns: true, bom: true });
  const files = new Map(rows('EXPECTED_IMAGES.csv').map(({ ImageID, File }) => [ImageID, File]));
  const crops = [];
  const table = [];
  for (const { ImageID, Left, Top, Right, Bottom } of rows('EXPECTED_CROPS.csv').slice(0, PHOTOS)) {
    const picture = await decodePicture(await readFile(join(place, 'images', files.get(ImageID))));
    const [leftPx, topPx, right, bottom] = [Left, Top, Right, Bottom].map(Number);
    const rectangle = { leftPx, topPx, widthPx: right - leftPx, heightPx: bottom - topPx };
    const bytes = await cutCrop(picture, rectangle, 0, { format: 'jpeg', quality: 92 });
    const path = `images_cropped/${String(crops.length).padStart(6, '0')}.jpg`;
    crops.push({ path, ...(await store.putBytes(bytes)) });
    table.push({
      LogicalKey: path,
      ImageID,
      Class: crops.length % 2 === 0 ? 'A' : 'B',
      Split: crops.length % 5 === 0 ? 'validation' : 'train',
      WidthPx: String(rectangle.widthPx),
      HeightPx: String(rectangle.heightPx),
    });
  }
  const csv = { path: 'crops.csv', ...(await store.putBytes(formatCsv(COLUMNS, table))) };
  return { crops, table: [csv] };
}
