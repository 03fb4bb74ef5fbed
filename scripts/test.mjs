// npm test: installs what the tests need, builds, and runs them. Arguments go to vitest, but for
// --server NAME, which chooses the S3 server (versitygw, the default, or minio).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureArm64Node } from './arm64.mjs';
import { ensureBuildah } from './buildah.mjs';
import {
  ensureBuilt,
  ensureBun,
  ensureGoTool,
  ensureNode,
  ensurePackages,
  ensurePython,
  ROOT,
  SHARED,
} from './tools.mjs';

/** Node versions that nothing hashed may depend on, from the oldest supported one to the newest. */
const NODE_VERSIONS = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];

const args = process.argv.slice(2);
const at = args.indexOf('--server');
const server = at < 0 ? 'versitygw' : args.splice(at, 2)[1];
if (server !== 'versitygw' && server !== 'minio') {
  console.error(`--server ${server}: expected versitygw or minio`);
  process.exit(2);
}

ensurePackages();
ensureBuilt();

if (!existsSync(SHARED)) {
  console.error(
    `MISSING: no shared test data at ${SHARED} (PKG_SHARED), tests that need it are skipped.`,
  );
}
const env = {
  ...process.env,
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  PKG_SHARED: SHARED,
  PKG_S3_SERVER: server,
  PKG_S3_BINARY: ensureGoTool(server) ?? '',
  PKG_TOXIPROXY_BINARY: ensureGoTool('toxiproxy-server') ?? '',
  PKG_QUILT3_PYTHON: ensurePython('quilt3') ?? '',
  PKG_KERAS_PYTHON: ensurePython('keras') ?? '',
  PKG_NODE_BINARIES: NODE_VERSIONS.map(ensureNode).join(':'),
  PKG_BUN_BINARY: ensureBun() ?? '',
  PKG_ARM64_NODE: ensureArm64Node() ?? '',
  PKG_BUILDAH: ensureBuildah() ?? '',
};
const folder = mkdtempSync(join(tmpdir(), 'pkg-test-results-'));
const results = join(folder, 'results.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args];
const { status } = spawnSync(process.execPath, vitest, { cwd: ROOT, env, stdio: 'inherit' });
if (existsSync(results)) console.log(`\n${closingLine(results)}`);
rmSync(folder, { recursive: true, force: true });
process.exit(status ?? 1);

/** The counts once more, in words that any program that reads logs can find. */
function closingLine(path) {
  const counts = JSON.parse(readFileSync(path, 'utf8'));
  // A file that cannot be loaded has no test that failed.
  const unloaded = counts.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  const passed = counts.numPassedTests;
  const failed = counts.numFailedTests + unloaded.length;
  const skipped = counts.numPendingTests + counts.numTodoTests;
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
