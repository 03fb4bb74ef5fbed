// npm run bench: installs what the benchmarks need, builds, and runs them. Arguments: see bench/bench.mjs,
// and --server NAME, which chooses the S3 server of `registry` (versitygw, the default, or minio).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  CACHE,
  ensureBuilt,
  ensureGoTool,
  ensurePackages,
  ensurePython,
  findCommand,
  ROOT,
  SHARED,
} from './tools.mjs';

/** The virtual environment whose Python each benchmark runs, and the others that it needs. */
const PYTHONS = {
  query: ['bench'],
  crop: ['bench'],
  fetch: ['bench'],
  train: ['bench', 'keras'],
  registry: [],
};

const args = process.argv.slice(2);
const at = args.indexOf('--server');
const server = at < 0 ? 'versitygw' : args.splice(at, 2)[1];
if (server !== 'versitygw' && server !== 'minio') {
  console.error(`--server ${server}: expected versitygw or minio`);
  process.exit(2);
}
const chosen = Object.keys(PYTHONS).filter((name) => args.includes(name));
const names = chosen.length > 0 ? chosen : Object.keys(PYTHONS);

ensurePackages();
ensureBuilt();

const env = {
  ...process.env,
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  PKG_SHARED: SHARED,
  PKG_BENCH_PYTHON: 'python3',
};
for (const name of new Set(names.flatMap((it) => PYTHONS[it]))) {
  const python = ensurePython(name);
  if (python === undefined || !existsSync(SHARED)) {
    console.error(`MISSING: benchmarks need Python 3 and the test data (PKG_SHARED: ${SHARED}).`);
    process.exit(1);
  }
  env[`PKG_${name.toUpperCase()}_PYTHON`] = python;
}
if (names.includes('registry')) Object.assign(env, registryTools());
const bench = [join(ROOT, 'bench/bench.mjs'), ...args];
const { status } = spawnSync(process.execPath, bench, { cwd: ROOT, env, stdio: 'inherit' });
process.exit(status ?? 1);

/** What the benchmark of registries compares with; a tool that is not there is empty. */
function registryTools() {
  return {
    PKG_BENCH_CACHE: join(CACHE, 'bench-registry'),
    PKG_S3_SERVER: server,
    PKG_S3_BINARY: ensureGoTool(server) ?? '',
    PKG_QUILT3_PYTHON: ensurePython('quilt3') ?? '',
    PKG_DVC_PYTHON: ensurePython('dvc') ?? '',
    PKG_RESTIC: goToolOrCommand('restic') ?? '',
    PKG_RCLONE: goToolOrCommand('rclone') ?? '',
  };
}

/** The newest version, compiled, else one that is installed, such as a distribution's older one. */
function goToolOrCommand(name) {
  try {
    return ensureGoTool(name) ?? findCommand(name);
  } catch (error) {
    console.error(`MISSING: ${name} cannot be compiled (${error.message}).`);
    return findCommand(name);
  }
}
