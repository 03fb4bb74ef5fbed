// npm run bench: installs what the benchmarks need, builds, and runs them. Arguments: see bench/bench.mjs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, ensurePython, ROOT, SHARED } from './tools.mjs';

ensurePackages();
ensureBuilt();

const python = ensurePython('bench');
const keras = ensurePython('keras');
if (!existsSync(SHARED) || python === undefined || keras === undefined) {
  console.error(`MISSING: benchmarks need Python 3 and the test data (PKG_SHARED: ${SHARED}).`);
  process.exit(1);
}
const env = {
  ...process.env,
  PKG_SHARED: SHARED,
  PKG_BENCH_PYTHON: python,
  PKG_KERAS_PYTHON: keras,
};
const bench = [join(ROOT, 'bench/bench.mjs'), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, bench, { cwd: ROOT, env, stdio: 'inherit' });
process.exit(status ?? 1);
