// Who takes part in the registry benchmark: how each pushes a folder and how it gets it back.
// A contestant is `{ key, name, version, prepare?, bring?, push, install, installedAt? }`. Functions get
// a state, `{ folder, data, url, bucket }`: a folder of its own, the folder to push, server and bucket.
// `prepare` makes a repository and `bring` takes over the files to push, both before clocks run; `push`
// and `install` give `{ command, cwd, env }`; `installedAt` is the folder that an install filled.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENVIRONMENT } from './measure.mjs';
import { replaceFolder } from './registry-data.mjs';
import { s3Environment } from './s3-server.mjs';

const ROOT = dirname(import.meta.dirname);
const BINARY = join(ROOT, 'dist', 'cli', 'bin.cjs');
const QUILT3 = join(import.meta.dirname, 'peers', 'quilt3_registry.py');

/** The package's name, for those who have names. */
export const PACKAGE = 'bench/s';

const RCLONE_FLAGS = ['--checksum', '--transfers', '16', '--checkers', '16', '--quiet'];

const MAKERS = { quilt3, dvc, restic, rclone };

/** The peers that pkg can be compared with. */
export const PEERS = Object.keys(MAKERS);

/** pkg and the peers of `names`; says who is not there. `tools` are paths, empty where there is none. */
export function contestantsOf(names, tools, say) {
  const there = names.filter((name) => {
    if (tools[name]) return true;
    say(`MISSING: ${name}, so there is no comparison with it`);
    return false;
  });
  return [pkg(), ...there.map((name) => MAKERS[name](tools[name]))];
}

/** Environment of a tool whose home, and with it every cache, is the folder `home` of the state. */
function environmentOf({ folder, url }, home, own = {}) {
  const path = join(folder, home);
  mkdirSync(path, { recursive: true });
  const inherited = Object.entries(ENVIRONMENT).filter(([name]) => !/^(AWS|XDG|PKG)_/.test(name));
  const homes = { HOME: path, XDG_CACHE_HOME: join(path, '.cache') };
  return { ...Object.fromEntries(inherited), ...homes, ...s3Environment(url), ...own };
}

/** Runs a command in a state, before clocks run. */
function execute({ command, cwd, env }) {
  const [program, ...args] = command;
  execFileSync(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A run of pkg's command line; its store is in `home`. */
export function pkgCommand(state, home, args) {
  const registry = [
    '--registry',
    `s3://${state.bucket}`,
    '--store',
    join(state.folder, home, 'store'),
  ];
  return {
    command: [process.execPath, BINARY, ...args, ...registry, '--quiet'],
    cwd: state.folder,
    env: environmentOf(state, home),
  };
}

function pkg() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return {
    key: 'pkg',
    name: 'pkg',
    version,
    push: (state) => pkgCommand(state, 'pusher', ['push', PACKAGE, '--dir', state.data]),
    install: (state) => {
      const dest = join(state.folder, 'installed');
      return pkgCommand(state, 'installer', ['install', PACKAGE, '--dest', dest]);
    },
  };
}

function quilt3(python) {
  const run = (state, home, action, folder) => ({
    command: [python, QUILT3, action, PACKAGE, `s3://${state.bucket}`, folder],
    cwd: state.folder,
    env: environmentOf(state, home, {
      XDG_DATA_HOME: join(state.folder, home, 'data'),
      XDG_CONFIG_HOME: join(state.folder, home, 'config'),
      QUILT_DISABLE_USAGE_METRICS: 'True',
      QUILT_MINIMIZE_STDOUT: 'true',
      PYTHONUTF8: '1',
    }),
  });
  return {
    key: 'quilt3',
    name: 'quilt3',
    version: versionOf(python, ['-c', 'import quilt3; print(quilt3.__version__)']),
    push: (state) => run(state, 'pusher', 'push', state.data),
    install: (state) => run(state, 'installer', 'install', join(state.folder, 'installed')),
  };
}

/** A project with a copy of the files pushes, and a clone of its two small files pulls. */
function dvc(python) {
  const binary = join(dirname(python), 'dvc');
  const run = (state, home, command) => ({
    command,
    cwd: join(state.folder, home),
    env: environmentOf(state, home, {
      DVC_NO_ANALYTICS: '1',
      DVC_SITE_CACHE_DIR: join(state.folder, home, '.site'),
    }),
  });
  const prepareProject = (state, home) => {
    const settings = [
      ['init', '--quiet', '--no-scm'],
      ['config', 'core.check_update', 'false'],
      ['remote', 'add', '--default', 'origin', `s3://${state.bucket}`],
      ['remote', 'modify', 'origin', 'endpointurl', state.url],
    ];
    for (const args of settings) execute(run(state, home, [binary, ...args]));
  };
  return {
    key: 'dvc',
    name: 'DVC',
    version: versionOf(binary, ['--version']),
    prepare: (state) => {
      prepareProject(state, 'pusher');
      prepareProject(state, 'installer');
    },
    bring: (state) => replaceFolder(state.data, join(state.folder, 'pusher', 'data')),
    push: (state) => run(state, 'pusher', ['sh', '-ec', '"$0" add -q data; "$0" push -q', binary]),
    install: (state) => {
      const [from, to] = ['pusher', 'installer'].map((it) => join(state.folder, it, 'data.dvc'));
      if (!existsSync(to)) copyFileSync(from, to);
      return run(state, 'installer', [binary, 'pull', '--quiet']);
    },
    installedAt: ({ folder }) => join(folder, 'installer', 'data'),
  };
}

function restic(binary) {
  const run = (state, home, args) => ({
    command: [binary, '--quiet', ...args],
    cwd: state.folder,
    env: environmentOf(state, home, {
      RESTIC_REPOSITORY: `s3:${state.url}/${state.bucket}`,
      RESTIC_PASSWORD: 'benchmark',
    }),
  });
  return {
    key: 'restic',
    name: 'restic',
    version: versionOf(binary, ['version']).split(' ')[1],
    prepare: (state) => execute(run(state, 'pusher', ['init'])),
    push: (state) => run(state, 'pusher', ['backup', state.data]),
    install: (state) => {
      const target = join(state.folder, 'installed');
      return run(state, 'installer', ['restore', 'latest', '--target', target]);
    },
    installedAt: ({ folder, data }) => join(folder, 'installed', data),
  };
}

function rclone(binary) {
  const run = (state, home, source, target) => ({
    command: [binary, 'sync', source, target, ...RCLONE_FLAGS],
    cwd: state.folder,
    env: environmentOf(state, home, {
      RCLONE_CONFIG: join(state.folder, home, 'rclone.conf'),
      RCLONE_CONFIG_S3_TYPE: 's3',
      RCLONE_CONFIG_S3_PROVIDER: 'Other',
      RCLONE_CONFIG_S3_ENV_AUTH: 'true',
      RCLONE_CONFIG_S3_ENDPOINT: state.url,
      RCLONE_CONFIG_S3_NO_CHECK_BUCKET: 'true',
    }),
  });
  const remote = ({ bucket }) => `s3:${bucket}/s`;
  return {
    key: 'rclone',
    name: 'rclone',
    version: versionOf(binary, ['version'])
      .split(/\s+/)[1]
      .replace(/^v|-DEV$/g, ''),
    push: (state) => run(state, 'pusher', state.data, remote(state)),
    install: (state) => run(state, 'installer', remote(state), join(state.folder, 'installed')),
  };
}

function versionOf(program, args) {
  return execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n')[0];
}
