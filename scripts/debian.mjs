// Debian packages unpacked into a folder, by lists of apt's own: neither root nor the machine's set-up is needed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this machine can get Debian packages at all. */
export function hasDebianTools() {
  return succeeds('apt-get', '--version') && succeeds('dpkg-deb', '--version');
}

/** Downloads packages, such as `libc6` or `libc6:arm64`, and unpacks each into `folder/<group>`. */
export function unpackDebianPackages(folder, groups, architectures = []) {
  const apt = join(folder, 'apt');
  for (const part of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(apt, part), { recursive: true });
  }
  const settings = [
    ...[`Dir::State=${join(apt, 'state')}`, `Dir::Cache=${join(apt, 'cache')}`],
    ...['Dir::State::status=/var/lib/dpkg/status', 'Acquire::Languages=none'],
    ...architectures.map((architecture) => `APT::Architectures::=${architecture}`),
    'APT::Sandbox::User=',
  ].flatMap((setting) => ['-o', setting]);
  const aptGet = (cwd, ...args) =>
    execFileSync('apt-get', ['-qq', ...settings, ...args], {
      ...{ cwd, stdio: ['ignore', 'ignore', 'inherit'] },
    });
  aptGet(apt, 'update');
  for (const [group, packages] of Object.entries(groups)) {
    const downloads = join(apt, 'packages', group);
    mkdirSync(downloads, { recursive: true });
    aptGet(downloads, 'download', ...packages);
    for (const name of readdirSync(downloads)) {
      execFileSync('dpkg-deb', ['--extract', join(downloads, name), join(folder, group)]);
    }
  }
  rmSync(apt, { recursive: true });
}

/** Whether a command can be run and ends with 0. */
export function succeeds(command, ...args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
