// Tools that tests and benchmarks need beside npm packages: found, or installed from the registries.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Kept in the checkout, ignored by git. */
const LOCAL = join(ROOT, '.tools');

/** The data that some tests and all benchmarks need, beside the checkout. */
export const SHARED = resolve(ROOT, process.env.PKG_SHARED || '../shared');

/** Kept outside, so that a fresh clone need not compile or download again. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'pkg-tools');

const GO_TOOLS = {
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  minio: 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c',
  restic: 'github.com/restic/restic/cmd/restic@v0.19.1',
  rclone: 'github.com/rclone/rclone@v1.76.0',
  'toxiproxy-server': 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0',
};

const BUN_VERSION = '1.4.5';

const PYTHON_ENVIRONMENTS = {
  quilt3: ['quilt3==8.0.0'],
  dvc: ['dvc[s3]==3.67.1'],
  keras: [
    'tensorflow-cpu==2.21.0',
    'keras==3.15.1',
    'scikit-learn==1.9.1',
    'scipy==1.17.1',
    'pillow==13.0.0',
  ],
  bench: [
    ...['pandas==2.3.3', 'pillow==13.0.0', 'img2dataset==1.47.0', 'numpy==2.4.6'],
    ...['pyarrow==26.0.1', 'opencv-python-headless==4.14.0.94', 'albumentations==1.4.24'],
    ...['webdataset==0.2.111', 'wandb==0.31.0', 'fsspec==2026.9.0'],
  ],
};

/** Runs a command in the checkout, its output shown; throws where it fails. */
export function run(command, args, options = {}) {
  execFileSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
}

/** Installs the npm packages of the lockfile, if they are not the ones that are there. */
export function ensurePackages() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  const locked = join(ROOT, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(locked).mtimeMs) return;
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** Compiles the sources, if any is newer than what was compiled of them. */
export function ensureBuilt() {
  const built = join(ROOT, 'dist', 'cli', 'bin.cjs');
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true }).map((name) =>
    join('src', name),
  );
  const inputs = [...sources, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const newest = Math.max(...inputs.map((name) => statSync(join(ROOT, name)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  run('npm', ['run', '--silent', 'build']);
}

/** The path of a binary of GO_TOOLS, compiled if need be; undefined without Go. */
export function ensureGoTool(name) {
  const local = join(LOCAL, 'bin', name);
  const cached = join(CACHE, 'bin', name);
  if (existsSync(local)) return local;
  mkdirSync(dirname(local), { recursive: true });
  if (!existsSync(cached)) {
    if (spawnSync('go', ['version']).status !== 0) {
      console.error(`MISSING: ${name} needs Go (https://go.dev/dl), so what needs it is skipped.`);
      return undefined;
    }
    console.error(`Compiling ${name}, once; this takes a few minutes.`);
    const address = GO_TOOLS[name];
    const flags = ['install', '-trimpath', '-ldflags=-s -w', address];
    // Go calls a binary as its folder is called; here each has the name that it is asked for by.
    const folder = join(CACHE, `go-${name}`);
    mkdirSync(folder, { recursive: true });
    mkdirSync(dirname(cached), { recursive: true });
    run('go', flags, { env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' } });
    renameSync(join(folder, posix.basename(address.replace(/@.*$/, ''))), cached);
    rmSync(folder, { recursive: true, force: true });
  }
  copyFileSync(cached, local);
  return local;
}

/** The path of a command that is installed; undefined where none of that name is on the PATH. */
export function findCommand(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The python of a virtual environment with pinned packages; undefined without Python. */
export function ensurePython(name) {
  const packages = PYTHON_ENVIRONMENTS[name];
  const folder = join(CACHE, `python-${name}-${packages.join('-').replace(/[^a-z0-9.-]/gi, '_')}`);
  const python = join(folder, 'bin', 'python');
  const done = join(folder, 'done');
  if (existsSync(done)) return python;
  if (spawnSync('python3', ['--version']).status !== 0) {
    console.error(`MISSING: ${packages[0]} needs Python 3, so what needs it is skipped.`);
    return undefined;
  }
  rmSync(folder, { recursive: true, force: true });
  run('python3', ['-m', 'venv', folder]);
  run(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
  run('touch', [done]);
  return python;
}

/** The binary of another version of Node, from the npm package `node`. */
export function ensureNode(version) {
  const folder = join(CACHE, `node-${version}`);
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(binary)) installPackages(folder, [`node@${version}`]);
  return binary;
}

/** Bun, whose engine is not Node's, from npm; undefined where there is none for this machine. */
export function ensureBun() {
  const folder = join(CACHE, `bun-${BUN_VERSION}`);
  // The package `bun` would move the binary out of this one, by a script that may not run.
  const name = `@oven/bun-${process.platform}-${process.arch.replace('arm64', 'aarch64')}`;
  const binary = join(folder, 'node_modules', name, 'bin', 'bun');
  try {
    if (!existsSync(binary)) installPackages(folder, [`${name}@${BUN_VERSION}`]);
    execFileSync(binary, ['--version']);
    return binary;
  } catch {
    console.error(`MISSING: Bun (npm package ${name}), so what runs under it is skipped.`);
    return undefined;
  }
}

/** Installs npm packages into a folder of their own. */
export function installPackages(folder, packages, options = []) {
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--no-audit', '--no-fund', '--prefix', folder, ...options, ...packages];
  run('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
