// npm run test:portability: trains, cuts and resizes on emulated arm64 and compares the bytes. With --update
// it only writes the golden digests of training anew, after a change of the kernels that is meant.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureArm64Node } from './arm64.mjs';
import { ensureBuilt, ensurePackages, ROOT, SHARED } from './tools.mjs';

const GOLDEN = join(ROOT, 'test/portability/golden.json');

ensurePackages();
ensureBuilt();

if (process.argv.includes('--update')) {
  const { digests } = runScript(process.execPath, ROOT, ['train-digest.mjs', '20', '1']);
  writeFileSync(GOLDEN, `${JSON.stringify(digests, null, 2)}\n`);
  console.log(readFileSync(GOLDEN, 'utf8'));
  process.exit();
}

const arm64Node = ensureArm64Node();
if (arm64Node === undefined) process.exit(1);

const work = mkdtempSync(join(tmpdir(), 'pkg-portability-'));
const counts = { passed: 0, failed: 0 };
try {
  const here = copyBuild('here', join(ROOT, 'node_modules'));
  const there = copyBuild('arm64', join(dirname(dirname(arm64Node)), 'node_modules'));
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8'));
  for (const [node, folder, iterations, threads] of [
    [process.execPath, here, '20', '1'],
    [arm64Node, there, '2', '1'],
    [arm64Node, there, '2', '2'],
  ]) {
    const trained = measure(node, folder, ['train-digest.mjs', iterations, threads]);
    const what = `training, ${trained.runtime}, ${threads} thread(s)`;
    for (const [name, digest] of Object.entries(trained.digests)) {
      compare(`${what}: ${name}`, trained.seconds, digest, golden[name]);
    }
  }
  const photos = [join(ROOT, 'manifests/sample/images'), join(SHARED, 'data/oid-mini/images')];
  const args = ['crop-digest.mjs', '20', ...photos.filter((folder) => existsSync(folder))];
  const expected = measure(process.execPath, here, args);
  const cut = measure(arm64Node, there, args);
  const what = `${String(cut.crops)} crops, ${cut.runtime} and ${expected.runtime}`;
  compare(
    `${what}: formats`,
    cut.seconds,
    JSON.stringify(cut.formats),
    JSON.stringify(expected.formats),
  );
  for (const [name, digest] of Object.entries(cut.digests)) {
    compare(`${what}: ${name}`, cut.seconds, digest, expected.digests[name]);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);

/** A copy that nobody builds anew meanwhile, and that finds its packages elsewhere. */
function copyBuild(name, packages) {
  const folder = join(work, name);
  for (const path of ['dist', 'package.json', 'bench/article.mjs', 'test/portability']) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  symlinkSync(packages, join(folder, 'node_modules'));
  return folder;
}

function measure(node, folder, args) {
  const start = performance.now();
  const result = runScript(node, folder, args);
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

/** What a script of test/portability prints. */
function runScript(node, folder, [script, ...args]) {
  const path = join(folder, 'test/portability', script);
  const stdio = ['ignore', 'pipe', 'inherit'];
  return JSON.parse(execFileSync(node, [path, ...args], { encoding: 'utf8', stdio }));
}

/** Prints a row: whether it is the same, what was compared, and how long making it took. */
function compare(what, seconds, actual, expected) {
  const same = actual === expected;
  counts[same ? 'passed' : 'failed'] += 1;
  const row = `${what.padEnd(64)} ${seconds.toFixed(1).padStart(6)} s`;
  console.log(`${same ? 'same  ' : 'DIFFER'}  ${row}  ${actual.slice(0, 16)}`);
}
