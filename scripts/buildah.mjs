// buildah, which builds images without a daemon, and a small system to build them upon; both from Debian and npm,
// into the tool cache.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hasDebianTools, unpackDebianPackages } from './debian.mjs';
import { CACHE, installPackages } from './tools.mjs';

const DEBIAN_PACKAGES = {
  debian: [
    ...['buildah', 'golang-github-containers-common', 'libgpgme11', 'libassuan0', 'libseccomp2'],
    ...['libdevmapper1.02.1', 'libsubid4', 'patchelf'],
  ],
  // What Node and the libraries of ours are linked to, and a shell.
  base: ['busybox-static', 'libc6', 'libstdc++6', 'libgcc-s1'],
};

/** Those of the image that the Dockerfile names. */
const NPM_PACKAGES = ['node@20.20.2', 'npm@10.8.2'];

/**
 * The path of a program that runs buildah; `../base` from it has the root folder of a system like the Dockerfile's
 * base image: Node, npm, a shell and the user `node`. Undefined where images cannot be built, after a word on
 * what is missing.
 */
export function ensureBuildah() {
  const folder = join(CACHE, `buildah-${NPM_PACKAGES.join('-').replaceAll('@', '-')}`);
  const program = join(folder, 'bin', 'buildah');
  if (existsSync(program)) return program;
  if (process.platform !== 'linux') return missing('Linux');
  if (!hasDebianTools()) return missing('apt-get and dpkg-deb');
  rmSync(folder, { recursive: true, force: true });
  const unfinished = `${program}.unfinished`;
  try {
    mkdirSync(folder, { recursive: true });
    unpackDebianPackages(folder, DEBIAN_PACKAGES);
    installPackages(folder, NPM_PACKAGES);
    completeBase(join(folder, 'base'), join(folder, 'node_modules'));
    writeProgram(folder, unfinished);
  } catch {
    const packages = Object.values(DEBIAN_PACKAGES).flat().join(', ');
    return missing(`npm's ${NPM_PACKAGES.join(', ')} and Debian's ${packages}`);
  }
  if (!buildsImages(unfinished)) return missing('the right to make namespaces and mounts');
  renameSync(unfinished, program);
  return program;
}

function completeBase(base, modules) {
  const local = join(base, 'usr/local');
  for (const name of [
    ...['dev', 'proc', 'sys', 'root', 'tmp', 'var/tmp', 'home/node', 'usr/bin'],
    ...['usr/local/bin', 'usr/local/etc', 'usr/local/lib/node_modules'],
  ]) {
    mkdirSync(join(base, name), { recursive: true });
  }
  for (const applet of execFileSync(join(base, 'bin/busybox'), ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox')) {
    symlinkSync('busybox', join(base, 'bin', applet));
  }
  symlinkSync('/bin/busybox', join(base, 'usr/bin/env'));
  cpSync(join(modules, 'node/bin/node'), join(local, 'bin/node'));
  cpSync(join(modules, 'npm'), join(local, 'lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  mkdirSync(join(base, 'etc'), { recursive: true });
  const users = ['root:x:0:0:root:/root:/bin/sh', 'node:x:1000:1000::/home/node:/bin/sh', ''];
  writeFileSync(join(base, 'etc/passwd'), users.join('\n'));
  writeFileSync(join(base, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  writeFileSync(
    join(base, 'Dockerfile'),
    'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n',
  );
}

/** buildah runs itself anew without its environment, so that its libraries are named within it. */
function writeProgram(folder, program) {
  const debian = join(folder, 'debian');
  const buildah = join(debian, 'usr/bin/buildah');
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const libraries = [`usr/lib/${machine}-linux-gnu`, `lib/${machine}-linux-gnu`];
  execFileSync(join(debian, 'usr/bin/patchelf'), [
    ...['--set-rpath', libraries.map((name) => join(debian, name)).join(':'), buildah],
  ]);
  // Where buildah looks for its policy; it accepts any image, as none is fetched.
  const settings = join(folder, 'home/.config/containers');
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}\n');
  writeFileSync(join(settings, 'registries.conf'), 'unqualified-search-registries = []\n');
  mkdirSync(dirname(program), { recursive: true });
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [
    '#!/bin/sh',
    `export HOME=${quoted(join(folder, 'home'))} BUILDAH_ISOLATION=chroot`,
  ];
  writeFileSync(program, `${[...lines, `exec ${quoted(buildah)} "$@"`].join('\n')}\n`, {
    mode: 0o755,
  });
}

/** Whether an image can be built here and run. */
function buildsImages(program) {
  const folder = mkdtempSync(join(tmpdir(), 'pkg-buildah-'));
  const storage = [
    '--storage-driver',
    'vfs',
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run'),
  ];
  const buildah = (...args) =>
    execFileSync(program, [...storage, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  try {
    buildah('bud', '--quiet', '--tag', 'localhost/base', join(dirname(program), '../base'));
    const container = buildah('from', 'localhost/base').trim();
    return buildah('run', container, 'node', '--version').startsWith('v');
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function missing(what) {
  console.error(`MISSING: building images needs ${what}, so what is built into one is skipped.`);
  return undefined;
}
