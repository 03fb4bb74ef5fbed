/** Several processes at once on one store, one folder and one registry. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NAME = 'quilt/open_images_sample';

interface Answer {
  readonly topHash: string;
}

const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

describe('several processes at once', () => {
  it('build one manifest in one store, and install it into one folder, to the same end', async () => {
    const folder = await temporaryFolder();
    await cp(join(ROOT, 'manifests'), folder, { recursive: true });
    const store = ['--store', join(folder, 'store')];
    const registry = ['--registry', join(folder, 'registry')];
    const manifest = join(folder, 'sample.yaml');
    const built = await times(3, () => runJson<Answer>(['build', manifest, ...store]));
    const { topHash } = await runJson<Answer>(['push', NAME, ...store, ...registry]);
    expect(built.map((one) => one.topHash)).toEqual([topHash, topHash, topHash]);
    const dest = join(folder, 'installed');
    const install = () => runJson<Answer>(['install', NAME, ...registry, '--dest', dest]);
    const installed = await times(3, install);
    expect(installed.map((one) => one.topHash)).toEqual([topHash, topHash, topHash]);
    expect((await runCli(['verify', dest])).exitCode).toBe(0);
  });

  it('push to one name: each ends in the history, or with 16 and not in it', async () => {
    const folder = await temporaryFolder();
    const registry = ['--registry', join(folder, 'registry')];
    const ended = await times(6, async (index) => {
      const dir = join(folder, String(index));
      await mkdir(dir);
      await writeFile(join(dir, 'file'), String(index));
      return await runCli(['push', 'me/raced', '--dir', dir, ...registry, '--json']);
    });
    const pushed = ended.filter(({ exitCode }) => exitCode === 0);
    expect(pushed.length).toBeGreaterThan(0);
    for (const { exitCode } of ended) expect([0, 16]).toContain(exitCode);
    const { revisions } = await runJson<{ readonly revisions: readonly Answer[] }>([
      ...['log', 'me/raced', ...registry],
    ]);
    const hashes = pushed.map(({ stdout }) => (JSON.parse(stdout) as Answer).topHash);
    expect(revisions.map(({ topHash }) => topHash).sort()).toEqual(hashes.sort());
  });
});
