/** The embedded sample: the README's promise, held on this machine. */
import { execFileSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { ROOT } from '../support/shared.ts';
import { cell, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NAME = 'quilt/open_images_sample';

interface BuildDocument {
  readonly topHash: string;
  readonly steps: readonly { readonly name: string; readonly cached: boolean }[];
}

const statedHash = async () =>
  /^top hash ([0-9a-f]{64})$/m.exec(await readFile(join(ROOT, 'README.md'), 'utf8'))?.[1];

describe('the embedded sample', () => {
  it('ends the quickstart with the top hash that the README states', async () => {
    const output = execFileSync(process.execPath, [join(ROOT, 'scripts/quickstart.mjs')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output.trimEnd().split('\n').at(-1)).toBe(`top hash ${String(await statedHash())}`);
    expect(output).toContain('all as they should be');
  });

  it('has that top hash without its lockfile too, which is then written the same', async () => {
    const folder = await temporaryFolder();
    await cp(join(ROOT, 'manifests'), folder, { recursive: true });
    const lockfile = join(folder, 'sample.lock.json');
    const committed = await readFile(lockfile, 'utf8');
    const store = ['--store', join(folder, 'store')];
    await rm(lockfile);
    const built = await runJson<BuildDocument>(['build', join(folder, 'sample.yaml'), ...store]);
    expect(built.topHash).toBe(await statedHash());
    expect(await readFile(lockfile, 'utf8')).toBe(committed);
    const again = await runJson<BuildDocument>(['build', join(folder, 'sample.yaml'), ...store]);
    expect(again.topHash).toBe(built.topHash);
    expect(again.steps.every(({ cached }) => cached)).toBe(true);
  });

  it('shows every kind of trouble: tombstones, odd boxes, odd formats', async () => {
    const folder = await temporaryFolder();
    await cp(join(ROOT, 'manifests'), folder, { recursive: true });
    const store = ['--store', join(folder, 'store')];
    const registry = ['--registry', join(folder, 'registry')];
    await runJson(['build', join(folder, 'sample.yaml'), ...store]);
    await runJson(['push', NAME, ...store, ...registry]);
    const dest = join(folder, 'metadata');
    await runJson(['install', NAME, 'metadata', 'README.md', ...registry, '--dest', dest]);
    const images = readTable(join(dest, 'metadata/images.csv'));
    const statuses = new Set(images.map((row) => cell(row, 'Status')));
    expect([...statuses].sort()).toEqual(['changed', 'corrupt', 'missing', 'ok', 'placeholder']);
    expect(new Set(images.map((row) => cell(row, 'Format')))).toContain('WebP');
    const reasons = new Set(
      readTable(join(dest, 'metadata/crops.csv')).map((row) => cell(row, 'Reason')),
    );
    for (const reason of ['orphan', 'invalid-box', 'repeated-box', 'too-small']) {
      expect(reasons).toContain(reason);
    }
    const card = await readFile(join(dest, 'README.md'), 'utf8');
    expect(card).toContain(`pkg install ${NAME}`);
    expect(card).not.toContain(folder);
  });

  it('is refused by exit 11 when a parameter changed, and says which', async () => {
    const folder = await temporaryFolder();
    await cp(join(ROOT, 'manifests'), folder, { recursive: true });
    const manifest = join(folder, 'sample.yaml');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace('16', '24'));
    const args = ['build', manifest, '--store', join(folder, 'store')];
    const refused = await runCli(args);
    expect(refused.exitCode).toBe(11);
    expect(refused.stderr).toContain('crop.minSidePx: was 16, is 24');
    expect((await runCli([...args, '--update'])).exitCode).toBe(0);
  });
});
