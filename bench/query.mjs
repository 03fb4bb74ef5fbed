// Query: two classes out of a million boxes, against pandas.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CACHE } from '../scripts/tools.mjs';
import { assertSameWork, measureOnce, runRounds } from './measure.mjs';
import { METRICS } from './report.mjs';

const IMAGES = 119_303;
const BOXES = 1_000_000;

const ENTRY = join(import.meta.dirname, 'pkg-query.mjs');
const PEER = join(import.meta.dirname, 'peers', 'pandas_query.py');

/** Runs the query benchmark and returns what `makeResult` takes. */
export function benchQuery(context) {
  const metadata = ensureMetadata(context);
  const indexed = join(context.folder, 'indexed-store');
  const pkg = (work, store) => [process.execPath, ENTRY, work, metadata, store];
  const pandas = (engine) => [context.python, PEER, metadata, engine];
  measureOnce(context, () => pkg('index', indexed));
  const { index, ...runs } = runRounds(context, [
    { name: 'first', command: (store) => pkg('query', store) },
    { name: 'next', command: () => pkg('query', indexed) },
    { name: 'pandas', command: () => pandas('c') },
    { name: 'pyarrow', command: () => pandas('pyarrow') },
    { name: 'index', command: (store) => pkg('index', store) },
  ]);
  assertSameWork(runs, ['boxes', 'images']);
  const { version, boxes, images } = runs.pandas[0].said;
  return {
    title: `QUERY: Hamburger and Sandwich among ${BOXES.toLocaleString('en')} boxes`,
    notes: [
      `All find ${boxes} boxes on ${images} images. Each run is a fresh process, its start included.`,
      'pkg: checks every line and box, writes the selection to its store; the next query reads the',
      'index that was written after the first (once for each table, beside other work).',
      `pandas ${version}: read_csv of both tables, filter, merge; also with its pyarrow engine.`,
    ],
    metrics: METRICS,
    names: {
      first: 'pkg, first query',
      next: 'pkg, next query',
      index: 'pkg, writing the index',
      pandas: `pandas ${version}`,
      pyarrow: `pandas ${version}, pyarrow`,
    },
    runs: { ...runs, index },
    pairs: ['first', 'next'].flatMap((ours) =>
      ['pandas', 'pyarrow'].map((theirs) => [ours, theirs, sentence(ours, theirs)]),
    ),
  };
}

function sentence(ours, theirs) {
  const peer = theirs === 'pandas' ? 'pandas' : 'pandas with its pyarrow engine';
  return ({ time, cpu, memory }) =>
    `pkg's ${ours} query takes ${time} the time of ${peer}, ${cpu} its CPU time and ` +
    `${memory} its peak memory.`;
}

/** The folder of the big metadata, made at the first call and kept in the cache. */
function ensureMetadata({ python, shared, say }) {
  const folder = join(CACHE, 'big-metadata-1m');
  if (existsSync(join(folder, 'BIG.json'))) return folder;
  say(`making metadata of ${BOXES.toLocaleString('en')} boxes, once`);
  const making = `${folder}.part`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const script = join(shared, 'data', 'make_big_metadata.py');
  const size = ['--images', String(IMAGES), '--boxes', String(BOXES)];
  execFileSync(python, [script, making, ...size], { stdio: 'ignore' });
  renameSync(making, folder);
  return folder;
}
