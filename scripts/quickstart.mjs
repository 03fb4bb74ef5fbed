// npm run quickstart: installs, builds, and sends the embedded sample through the whole job: build,
// push to a registry in a folder, install into a new folder, verify. Prints the top hash.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensurePackages, ROOT } from './tools.mjs';

const NAME = 'quilt/open_images_sample';

ensurePackages();
ensureBuilt();

const folder = mkdtempSync(join(tmpdir(), 'pkg-quickstart-'));
const store = join(folder, 'store');
const registry = join(folder, 'registry');
const installed = join(folder, 'open_images_sample');

pkg('build', 'manifests/sample.yaml', '--store', store);
pkg('push', NAME, '--store', store, '--registry', registry);
pkg('install', NAME, '--registry', registry, '--dest', installed);
pkg('verify', installed);

const { topHash } = JSON.parse(
  execFileSync(process.execPath, binary('verify', installed, '--json')),
);
console.log(`\nThe package is in ${installed}; begin with its README.md and summaries/crops.png.`);
console.log(`top hash ${topHash}`);

function pkg(...args) {
  console.log(`\n$ pkg ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, binary(...args), { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function binary(...args) {
  return [join(ROOT, 'dist', 'cli', 'bin.cjs'), ...args];
}
