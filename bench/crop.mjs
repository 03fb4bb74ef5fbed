// Crop: the boxes of real photos as JPEGs, against Pillow.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { assertSameWork, runRounds } from './measure.mjs';
import { METRICS } from './report.mjs';

const ENTRY = join(import.meta.dirname, 'pkg-crop.mjs');
const PEER = join(import.meta.dirname, 'peers', 'pillow_crop.py');

const CROP_METRICS = {
  rate: {
    label: 'crops/s',
    of: ({ said, seconds }) => said.crops / seconds,
    format: (value) => value.toFixed(0),
  },
  cpu: {
    label: 'CPU a crop',
    of: ({ said, cpuSeconds }) => (1000 * cpuSeconds) / said.crops,
    format: (value) => `${value.toFixed(2)} ms`,
  },
  memory: METRICS.memory,
};

/** Runs the crop benchmark and returns what `makeResult` takes. */
export function benchCrop(context) {
  const tasks = join(context.folder, 'tasks.json');
  writeFileSync(tasks, JSON.stringify(readTasks(join(context.shared, 'data', 'oid-mini'))));
  const cores = availableParallelism();
  const pkg = (workers) => [process.execPath, ENTRY, tasks, String(workers)];
  const pillow = (workers) => [context.python, PEER, tasks, String(workers)];
  const runs = runRounds(context, [
    { name: 'pkg', command: () => pkg(cores) },
    { name: 'pillow', command: () => pillow(cores) },
    { name: 'pkg1', command: () => pkg(1) },
    { name: 'pillow1', command: () => pillow(1) },
  ]);
  assertSameWork(runs, ['photos', 'crops']);
  const [{ said: ours }] = runs.pkg;
  const [{ said: theirs }] = runs.pillow;
  return {
    title: `CROP: ${ours.crops} boxes of ${ours.photos} photos as JPEG, quality 92, 4:4:4`,
    notes: [
      'Each photo is read and decoded once, crops stay in memory. Each run is a fresh process.',
      `pkg: obeys colour profiles, refuses data cut short; ${megabytes(ours.bytes)} of crops.`,
      `Pillow ${theirs.version}: its defaults; ${megabytes(theirs.bytes)} of crops. ` +
        'Memory is that of the largest process.',
    ],
    metrics: CROP_METRICS,
    names: {
      pkg: `pkg, ${cores} workers`,
      pillow: `Pillow ${theirs.version}, ${cores} processes`,
      pkg1: 'pkg, 1 worker',
      pillow1: `Pillow ${theirs.version}, 1 process`,
    },
    runs,
    pairs: [
      ['pkg', 'pillow', sentence(`With ${cores} workers`)],
      ['pkg1', 'pillow1', sentence('With one worker')],
    ],
  };
}

function sentence(condition) {
  return ({ rate, cpu, memory }) =>
    `${condition} pkg cuts ${rate} as many crops a second as Pillow, with ${cpu} its CPU time ` +
    `a crop and ${memory} the peak memory of its largest process.`;
}

/** Photos with the rectangles of their valid boxes, `[left, top, right, bottom]` each. */
function readTasks(folder) {
  const rows = (name) => parse(readFileSync(join(folder, name)), { columns: true, bom: true });
  const files = new Map(rows('EXPECTED_IMAGES.csv').map(({ ImageID, File }) => [ImageID, File]));
  const tasks = new Map();
  for (const { ImageID, Left, Top, Right, Bottom } of rows('EXPECTED_CROPS.csv')) {
    const path = join(folder, 'images', files.get(ImageID));
    const task = tasks.get(ImageID) ?? { path, rectangles: [] };
    task.rectangles.push([Left, Top, Right, Bottom].map(Number));
    tasks.set(ImageID, task);
  }
  return [...tasks.values()];
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
