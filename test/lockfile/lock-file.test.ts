/** Lockfiles found and read, and told in words where they are none. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isLockfilePath,
  lockfileBeside,
  parseLockfileText,
  readLockfile,
} from '../../src/lockfile/lock-file.ts';
import { formatLockfile } from '../../src/lockfile/lockfile.ts';
import { someLockfile } from '../support/lockfiles.ts';
import { refusal } from '../support/manifests.ts';
import { temporaryFolder } from '../support/temporary.ts';

const text = formatLockfile(someLockfile());

describe('a path of a lockfile', () => {
  it('is its own, or that beside a manifest', () => {
    expect(lockfileBeside('m/x.yaml')).toBe('m/x.lock.json');
    expect(lockfileBeside('x.YML')).toBe('x.lock.json');
    expect(lockfileBeside('x.lock.json')).toBe('x.lock.json');
    expect(['a.yml', 'a.lock.json', 'user/name', 'package-lock.json'].map(isLockfilePath)).toEqual([
      ...[true, true, false, false],
    ]);
  });
});

describe('readLockfile', () => {
  it('reads the file, or the one beside the manifest', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'x.lock.json'), text);
    for (const name of ['x.lock.json', 'x.yaml']) {
      expect(await readLockfile(join(folder, name))).toEqual(someLockfile());
    }
  });

  it('says where there is none', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'd.lock.json'));
    await expect(readLockfile(join(folder, 'm.yaml'))).rejects.toMatchObject({
      code: 'lockfile',
      message: `there is no lockfile ${join(folder, 'm.lock.json')}`,
      hint: `Write it with: pkg lock ${join(folder, 'm.yaml')}`,
    });
    await expect(readLockfile(join(folder, 'd.lock.json'))).rejects.toMatchObject({
      code: 'lockfile',
      message: `${join(folder, 'd.lock.json')} is not a file`,
    });
  });
});

describe('parseLockfileText', () => {
  const lines = text.split('\n');
  const marked = [...lines.slice(0, 4), '<<<<<<< HEAD', '=======', '>>>>>>> x', ...lines.slice(4)];
  it.each([
    [marked.join('\n'), 'x.lock.json:5: git left conflict markers here'],
    [marked.join('\r\n'), 'x.lock.json:5: git left conflict markers here'],
    [`${lines.slice(0, 3).join('\n')},`, 'x.lock.json:3: not JSON, "," is unexpected'],
    [
      text.replace('"lockfileVersion": 1', '"lockfileVersion": 7'),
      'x.lock.json:2: has version 7, expected 1',
    ],
    ['{"dependencies": {}}', 'x.lock.json has no lockfileVersion, expected 1'],
    ['['.repeat(100_000), 'x.lock.json:1: not JSON, it is nested too deeply'],
  ])('names the line of what is wrong (%#)', (broken, message) => {
    const error = refusal(() => parseLockfileText(broken, 'x.lock.json'));
    expect([error.exitCode, error.message]).toEqual([11, message]);
    expect(error.hint).toContain('pkg lock');
  });

  it('takes no line of a value for a marker', () => {
    const lockfile = { ...someLockfile(), name: '<<<<<<< HEAD' };
    expect(parseLockfileText(formatLockfile(lockfile), 'x')).toEqual(lockfile);
  });
});
