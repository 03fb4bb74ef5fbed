// npm run bench: installs what the benchmarks need, builds, and runs them. Arguments: see bench/bench.mjs.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensurePackages, ensurePython, ROOT, run } from './tools.mjs';

ensurePackages();
run('npm', ['run', '--silent', 'build']);

const shared = resolve(ROOT, process.env.PKG_SHARED || '../shared');
const python = ensurePython('bench');
if (!existsSync(shared) || python === undefined) {
  console.error(`MISSING: benchmarks need Python 3 and the test data (PKG_SHARED: ${shared}).`);
  process.exit(1);
}
const env = { ...process.env, PKG_SHARED: shared, PKG_BENCH_PYTHON: python };
try {
  run(process.execPath, [join(ROOT, 'bench/bench.mjs'), ...process.argv.slice(2)], { env });
} catch (error) {
  process.exit(error.status ?? 1);
}
