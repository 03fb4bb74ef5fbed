/** Installing as a user does: parts, plans, without a network, several at once, and killed. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson, startCli } from '../support/cli.ts';
import { asFound, filesBelow, noise, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Installed {
  readonly topHash: string;
  readonly entries: number;
  readonly fetched: number;
  readonly fromStore: number;
  readonly reused: number;
  readonly fetchedBytes: number;
}

const KILLS = 12;
const LARGE_BYTES = 48 * 2 ** 20;

const FILES = {
  'README.md': 'read me',
  'images/train/a.jpg': 'a',
  'images/test/b.jpg': 'b',
  'tables/a.csv': 'rows',
  'tables/b.csv': 'more rows',
};

/** A registry in a folder with the packages of two folders as revisions of user/name. */
async function registryOf(...revisions: readonly Readonly<Record<string, string | Uint8Array>>[]) {
  const root = await temporaryFolder();
  const hashes: string[] = [];
  for (const [index, files] of revisions.entries()) {
    const folder = join(root, `source-${String(index)}`);
    await writeFiles(folder, files);
    const push = ['push', 'user/name', '--dir', folder, '--registry', join(root, 'registry')];
    hashes.push(
      (await runJson<{ topHash: string }>([...push, '--store', join(root, 'pushing')])).topHash,
    );
  }
  const common = ['--registry', join(root, 'registry'), '--store', join(root, 'store')];
  return { root, hashes, install: (...args: readonly string[]) => ['install', ...args, ...common] };
}

describe('pkg install', () => {
  it('installs what patterns choose, and refuses one that fits nothing', async () => {
    const { root, install } = await registryOf(FILES);
    const dest = join(root, 'parts');
    const globs = ['--include', '*.csv', '--include', 'images/**', '--exclude', 'test/'];
    expect(await runJson(install(...globs, 'user/name', '--dest', dest))).toMatchObject({
      entries: 3,
    });
    expect(Object.keys(await filesBelow(dest))).toEqual([
      ...['images/train/a.jpg', 'tables/a.csv', 'tables/b.csv'],
    ]);
    expect((await runCli(['verify', dest])).exitCode).toBe(0);
    const missing = await runCli(
      install('user/name', '--include', '*.png', '--dest', join(root, 'x')),
    );
    expect(missing).toMatchObject({ exitCode: 12 });
    expect(missing.stderr).toContain('*.png');
    expect(existsSync(join(root, 'x'))).toBe(false);
  });

  it('says what it would do, and does nothing, with --dry-run', async () => {
    const { root, install } = await registryOf(FILES);
    const dest = join(root, 'planned');
    const said = await runCli(install('user/name', 'tables', '--dest', dest, '--dry-run'));
    expect(said).toMatchObject({ exitCode: 0 });
    expect(said.stdout).toMatch(/^to fetch +2 files +13 B$/m);
    expect(await runJson(install('user/name', '--dest', dest, '--dry-run'))).toMatchObject({
      ...{ dryRun: true, entries: 5, toFetch: { files: 5, sizeBytes: 22 }, inTheWay: [] },
    });
    expect(existsSync(dest)).toBe(false);
  });

  it('does without the registry once it has been there', async () => {
    const { root, install } = await registryOf(FILES);
    const offline = install('user/name', '--offline', '--dest', join(root, 'b'));
    expect(await runCli(offline)).toMatchObject({ exitCode: 15 });
    await runJson(install('user/name', '--dest', join(root, 'a')));
    await rm(join(root, 'registry'), { recursive: true });
    expect(await runJson(offline)).toMatchObject({ entries: 5, fromStore: 5 });
    expect(await filesBelow(join(root, 'b'))).toEqual(asFound(FILES));
  });

  it('ends whole in one revision where two are installed by two processes', async () => {
    const { root, hashes, install } = await registryOf(FILES, {
      ...FILES,
      'README.md': 'again',
      new: 'new',
    });
    const dest = join(root, 'both');
    const results = await Promise.all(
      hashes.map((hash) => runCli(install(`user/name@${hash}`, '--dest', dest))),
    );
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect((await runCli(['verify', dest])).exitCode).toBe(0);
  });
});

describe('pkg install that is killed', () => {
  const files: Record<string, string | Uint8Array> = { large: noise(LARGE_BYTES, 7) };
  for (let index = 0; index < 600; index++)
    files[`small/${String(index)}`] = noise(20_000, index + 1);
  const totalBytes = Object.values(files).reduce((sum, content) => sum + content.length, 0);
  let setup: Awaited<ReturnType<typeof registryOf>>;
  beforeAll(async () => {
    setup = await registryOf(files);
  });

  it('leaves no wrong byte at a final name, and fetches hardly anything again', async () => {
    const { root, install } = setup;
    const startMs = performance.now();
    await runJson(install('user/name', '--dest', join(root, 'undisturbed')));
    const lastsMs = performance.now() - startMs;
    let state = 11;
    for (let round = 0; round < KILLS; round++) {
      await rm(join(root, 'store'), { recursive: true, force: true });
      const dest = join(root, `killed-${String(round)}`);
      state = (state * 48_271) % 2_147_483_647;
      await killAfter(
        install('user/name', '--dest', dest),
        0.2 * lastsMs + (state % (0.8 * lastsMs)),
      );
      const hereBytes = await bytesThatArrived(dest, files);
      const result = await runJson<Installed>(install('user/name', '--dest', dest));
      expect(result.fetchedBytes).toBeLessThan(totalBytes - hereBytes + 0.05 * totalBytes);
      expect((await runCli(['verify', dest])).exitCode).toBe(0);
      await rm(dest, { recursive: true });
    }
  });
});

async function killAfter(args: readonly string[], delayMs: number): Promise<void> {
  const child = startCli(args);
  child.stdout?.resume();
  child.stderr?.resume();
  const ended = new Promise((resolve) => child.once('close', resolve));
  const late = new Promise((resolve) => setTimeout(resolve, delayMs));
  await Promise.race([ended, late]);
  child.kill('SIGKILL');
  await ended;
}

/** The sizes of files that stand at their final names, all of them right, and of what is on its way. */
async function bytesThatArrived(
  dest: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<number> {
  if (!existsSync(dest)) return 0;
  const found = await filesBelow(dest);
  const right = asFound(files);
  for (const [key, content] of Object.entries(found)) expect(content, key).toBe(right[key]);
  const sizes = Object.keys(found).map((key) => files[key]?.length ?? 0);
  const partials = join(dest, '.pkg/partial');
  for (const name of existsSync(partials) ? await readdir(partials) : []) {
    sizes.push((await stat(join(partials, name))).size);
  }
  return sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
}
