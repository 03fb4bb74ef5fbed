// Fetch: photos from a local server, against img2dataset.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { formatCsv } from '../dist/openimages/csv.js';
import { SELECTED_IMAGE_COLUMNS } from '../dist/openimages/openimages.js';
import { assertSameWork, runRounds } from './measure.mjs';
import { METRICS } from './report.mjs';

const CONCURRENCY = 16;

const ENTRY = join(import.meta.dirname, 'pkg-fetch.mjs');
const PEER = join(import.meta.dirname, 'peers', 'img2dataset_fetch.py');

/** Runs the fetch benchmark and returns what `makeResult` takes. */
export async function benchFetch(context) {
  const server = await startServer(context);
  try {
    const tableUrl = `${server.url}/meta/train-images-boxable-with-rotation.csv`;
    const lists = await writeLists(context, tableUrl);
    const pkg = (store) => [ENTRY, lists.images, tableUrl, String(CONCURRENCY), store];
    const peer = (folder, checks) => [PEER, lists.urls, folder, String(CONCURRENCY), checks];
    const runs = runRounds(context, [
      { name: 'pkg', command: (store) => [process.execPath, ...pkg(store)] },
      { name: 'unseen', command: (folder) => [context.python, ...peer(folder, 'none')] },
      { name: 'checked', command: (folder) => [context.python, ...peer(folder, 'md5-and-decode')] },
    ]);
    for (const [name, own] of Object.entries(runs)) assertSameWork({ [name]: own }, ['kept']);
    return describe(runs, lists.count);
  } finally {
    server.stop();
  }
}

function describe(runs, count) {
  const { version } = runs.unseen[0].said;
  const kept = (name) => runs[name][0].said.kept;
  return {
    title: `FETCH: ${count} photos from a local server, ${CONCURRENCY} requests at once`,
    notes: [
      `pkg: MD5, size, format, full decode, placeholders; kept by SHA-256: ${kept('pkg')} photos.`,
      `img2dataset ${version}, unseen: checks nothing, keeps the bytes of ${kept('unseen')}.`,
      `img2dataset ${version}, checked: MD5, full decode, as is if JPEG; keeps ${kept('checked')}.`,
      'Images a second and CPU an image are of the fetching alone; a run is a whole process, its',
      'start included. The server is not counted, yet shares the cores. One address is left out: a',
      'small file that declares an enormous picture, which img2dataset decodes.',
    ],
    metrics: {
      rate: {
        label: 'images/s',
        of: ({ said }) => count / said.fetching.seconds,
        format: (value) => value.toFixed(0),
      },
      cpu: {
        label: 'CPU an image',
        of: ({ said }) => (1000 * said.fetching.cpuSeconds) / count,
        format: (value) => `${value.toFixed(2)} ms`,
      },
      runTime: { ...METRICS.time, label: 'run' },
      runCpu: { ...METRICS.cpu, label: 'CPU of run' },
      memory: METRICS.memory,
    },
    names: {
      pkg: 'pkg',
      unseen: `img2dataset ${version}, unseen`,
      checked: `img2dataset ${version}, checked`,
    },
    runs,
    pairs: [
      ['pkg', 'unseen', sentence('img2dataset that checks nothing')],
      ['pkg', 'checked', sentence('img2dataset that checks MD5 and decodes')],
    ],
  };
}

function sentence(peer) {
  return ({ rate, cpu, runTime, runCpu, memory }) =>
    `pkg fetches ${rate} as many images a second as ${peer}, with ${cpu} its CPU time an image; ` +
    `the whole run takes ${runTime} its time, ${runCpu} its CPU time and ${memory} the peak ` +
    'memory of its largest process.';
}

/** Writes what each side reads: the images table of a selection, and a table of url and md5. */
async function writeLists({ folder, shared }, tableUrl) {
  const table = parse(await (await fetch(tableUrl)).text(), { columns: true, bom: true });
  const expected = join(shared, 'data', 'oid-mini', 'EXPECTED_IMAGES.csv');
  const bombs = parse(readFileSync(expected), { columns: true })
    .filter(({ Status }) => Status === 'bomb')
    .map(({ ImageID }) => ImageID);
  const rows = table
    .filter(({ ImageID }) => !bombs.includes(ImageID))
    .sort((a, b) => (a.ImageID < b.ImageID ? -1 : 1))
    .map((row) => ({ ...row, Table: '0' }));
  const images = join(folder, 'images.csv');
  writeFileSync(images, formatCsv(SELECTED_IMAGE_COLUMNS, rows));
  const urls = join(folder, 'urls.csv');
  const pairs = rows.map(({ OriginalURL, OriginalMD5 }) => ({
    url: OriginalURL,
    md5: Buffer.from(OriginalMD5, 'base64').toString('hex'),
  }));
  writeFileSync(urls, formatCsv(['url', 'md5'], pairs));
  return { images, urls, count: rows.length };
}

/** Serves oid-mini on a free port, without faults. */
async function startServer({ python, shared, folder }) {
  const portFile = join(folder, 'server-url');
  const script = join(shared, 'data', 'serve_oid.py');
  const child = spawn(python, [script, '--profile', 'clean', '--port-file', portFile], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  while (!existsSync(portFile)) {
    if (child.exitCode !== null) throw new Error(`${script} ended at once`);
    await sleep(50);
  }
  return { url: readFileSync(portFile, 'utf8').trim(), stop: () => child.kill('SIGTERM') };
}
