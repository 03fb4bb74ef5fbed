/** `pkg diff` of two lockfiles: what it says runs again is what runs. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Comparison {
  readonly same: boolean;
  readonly changes: readonly { readonly sentence: string; readonly steps: readonly string[] }[];
  readonly steps: { readonly again: readonly string[]; readonly cached: readonly string[] };
}

interface Built {
  readonly steps: readonly { readonly name: string; readonly cached: boolean }[];
}

describe('pkg diff on two lockfiles', () => {
  let work: string;
  let manifest: string;
  let first: string;
  let text: string;

  beforeAll(async () => {
    work = await temporaryFolder();
    manifest = join(work, 'sample.yaml');
    first = join(work, 'first.lock.json');
    await cp(join(ROOT, 'manifests'), work, { recursive: true });
    await rm(join(work, 'sample.lock.json'));
    text = (await readFile(manifest, 'utf8')).replace('epochs: 16', 'epochs: 1');
    await writeFile(manifest, text);
    await runJson(['build', manifest, '--store', join(work, 'store')]);
    await cp(join(work, 'sample.lock.json'), first);
  });

  it.each([
    [
      'quality',
      'crop: { minSidePx: 16 }',
      'crop: { minSidePx: 16, quality: 80 }',
      ['the quality of the crops changed 92 -> 80'],
    ],
    ['rate', '0.0005', '0.001', ['the optimizer rmsprop: learning rate 0.0005 -> 0.001']],
    ['split', 'test: 0.1', 'test: 0.2', ['the split: test 0.1 -> 0.2']],
    ['license', 'CC0-1.0', 'CC-BY-4.0', ['the licence changed CC0-1.0 -> CC-BY-4.0']],
    [
      'classes',
      '[Hamburger, Sandwich]',
      '[Sandwich, Hamburger]',
      [
        'the query names its classes in another order or another time: Hamburger, Sandwich -> Sandwich, Hamburger',
      ],
    ],
  ])('foresees which steps run again (%s)', async (_, from, to, sentences) => {
    await writeFile(manifest, text.replace(from, to));
    await runJson(['lock', manifest, '--update', '--store', join(work, 'store')]);
    const found = await runJson<Comparison>(['diff', first, manifest]);
    const told = found.changes.map(({ sentence }) => sentence);
    expect(told.filter((sentence) => !sentence.includes('record'))).toEqual(sentences);
    const built = await runJson<Built>(['build', manifest, '--store', join(work, 'store')]);
    const ran = built.steps.filter(({ cached }) => !cached).map(({ name }) => name);
    expect(found.steps.again).toEqual(expect.arrayContaining(ran));
    expect(ran).toContain(found.steps.again.find((step) => step !== 'fetch'));
    expect([...found.steps.again, ...found.steps.cached].sort()).toEqual(
      built.steps.map(({ name }) => name).sort(),
    );
  });

  it('reads as sentences, with what follows of them', async () => {
    const lockfile = JSON.parse(await readFile(first, 'utf8')) as {
      toolchain: object;
      parameters: { query: object };
    };
    Object.assign(lockfile.toolchain, { sharp: '0.35.4\u001b[31m' });
    Object.assign(lockfile.parameters.query, { classes: ['Hamburger', 'Sandwich', 'Hot dog'] });
    await writeFile(join(work, 'other.lock.json'), JSON.stringify(lockfile));
    const { stdout, exitCode } = await runCli(['diff', first, join(work, 'other.lock.json')]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      'query: photos are selected anew, and crops and model follow\n  the query now also selects Hot dog\n',
    );
    expect(stdout).toContain(
      'toolchain: photos are decoded anew, and every crop and the model may change\n  sharp (the decoder) changed 0.35.5 -> 0.35.4\ufffd[31m\n',
    );
    expect(stdout).toMatch(
      /\nruns again: query, fetch, crop, split, examples, train, evaluate, summarize\n$/,
    );
    const same = await runCli(['diff', first, first]);
    expect(same.stdout).toMatch(/\n\nno difference\n$/);
  });

  it('says what is wrong with a file, and with unlike sides', async () => {
    const broken = join(work, 'broken.lock.json');
    await writeFile(broken, `${await readFile(first, 'utf8')}<<<<<<< HEAD\n`);
    const results = await Promise.all([
      runCli(['diff', first, broken]),
      runCli(['diff', first, join(work, 'none.yaml')]),
      runCli(['diff', first, 'user/name', '--registry', work]),
      runCli(['diff', first, work]),
    ]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([11, 11, 2, 2]);
    expect(results[0].stderr).toMatch(/broken\.lock\.json:\d+: git left conflict markers here/);
    expect(results[1].stderr).toContain(`Write it with: pkg lock ${join(work, 'none.yaml')}`);
    expect(results[2].stderr).toContain('is a file and user/name is not');
  });
});
