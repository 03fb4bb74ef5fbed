/** A package as it would be without a photo or an author, and one that is built upon another's data. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { copySample, SAMPLE_NAME, TINY_MODEL, withModel } from '../support/sample-models.ts';
import { cell, type Row, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface BuildDocument {
  readonly topHash: string;
  readonly images: { readonly selected: number };
  readonly steps: readonly { readonly name: string; readonly cached: boolean }[];
}

describe('a package that was built', () => {
  let manifest: string;
  let store: readonly string[];
  let registry: readonly string[];
  let built: BuildDocument;
  let images: readonly Row[];
  let folder: string;

  const build = async (path: string, extra: readonly string[] = []) =>
    await runJson<BuildDocument>(['build', path, ...store, ...extra]);

  /** The hashes of a revision's files by logical key. */
  const filesOf = async (place: readonly string[], topHash: string) => {
    const list = await readFile(join(place[1] ?? '', '.quilt/packages', topHash), 'utf8');
    const lines = list.trimEnd().split('\n').slice(1);
    return new Map(
      lines.map((line) => {
        const { logical_key: key, hash } = JSON.parse(line) as {
          logical_key: string;
          hash: { value: string };
        };
        return [key, hash.value];
      }),
    );
  };

  beforeAll(async () => {
    manifest = await copySample((text) => withModel(text, TINY_MODEL));
    folder = dirname(manifest);
    store = ['--store', join(folder, 'store')];
    registry = ['--registry', join(folder, 'registry')];
    built = await build(manifest);
    await runJson(['push', SAMPLE_NAME, ...store, ...registry]);
    const installed = join(folder, 'installed');
    await runJson(['install', SAMPLE_NAME, 'metadata', ...registry, ...store, '--dest', installed]);
    images = readTable(join(installed, 'metadata/images.csv'));
  });

  describe('without a photo', () => {
    let photo: Row;
    let without: BuildDocument;
    let lock: string;
    beforeAll(async () => {
      photo = images.find((row) => cell(row, 'Status') === 'ok') ?? {};
      lock = await readFile(manifest.replace('.yaml', '.lock.json'), 'utf8');
      without = await build(manifest, ['--without', cell(photo, 'ImageID')]);
    });

    it('has all the other photos and crops as they were, and leaves the lockfile alone', async () => {
      expect(without.images.selected).toBe(built.images.selected - 1);
      await runJson(['push', `${SAMPLE_NAME}@${without.topHash}`, ...store, ...registry]);
      const before = await filesOf(registry, built.topHash);
      const after = await filesOf(registry, without.topHash);
      const id = cell(photo, 'ImageID');
      const data = /^images(?:_cropped)?\//;
      const expected = [...before].filter(([key]) => data.test(key) && !key.includes(id));
      expect([...after].filter(([key]) => data.test(key))).toEqual(expected);
      expect(expected.length).toBeGreaterThan(0);
      expect(await readFile(manifest.replace('.yaml', '.lock.json'), 'utf8')).toBe(lock);
    });

    it('is the same again from a fresh store, and when it is reproduced', async () => {
      const other = ['--store', join(folder, 'other')];
      const again = await runJson<BuildDocument>([
        ...['build', manifest, ...other],
        ...['--without', cell(photo, 'ImageID')],
      ]);
      expect(again.topHash).toBe(without.topHash);
      const third = ['--store', join(folder, 'third')];
      const reference = `${SAMPLE_NAME}@${without.topHash}`;
      const args = ['reproduce', reference, ...registry, ...third];
      expect(await runJson(args)).toMatchObject({ reproduced: true, rebuilt: without.topHash });
    });

    it('is held against what it would be without, figures and predictions included', async () => {
      const sides = [built, without].map(({ topHash }) => `${SAMPLE_NAME}@${topHash}`);
      const found = await runJson<{ metrics: unknown[]; predictions: object }>([
        ...['diff', ...sides, ...store],
      ]);
      expect(found.metrics.length).toBeGreaterThan(0);
      expect(found.predictions).toBeDefined();
      expect(found).toMatchObject({
        photos: [{ change: 'deselected', names: [cell(photo, 'ImageID')] }],
      });
    });

    it('is not what the name stands for in the store', async () => {
      const target = ['--registry', join(folder, 'latest')];
      expect(await runJson(['push', SAMPLE_NAME, ...store, ...target])).toMatchObject({
        topHash: built.topHash,
      });
    });
  });

  it('cannot be without somebody that it does not have', async () => {
    const { exitCode, stderr } = await runCli(['build', manifest, ...store, '--without', 'nobody']);
    expect(exitCode).toBe(12);
    expect(stderr).toContain('"nobody"');
  });

  describe('whose data another is built upon', () => {
    let upon: string;
    let trained: BuildDocument;
    const fresh = () => ['--store', join(folder, 'upon')];
    beforeAll(async () => {
      upon = join(await temporaryFolder(), 'upon.yaml');
      await writeFile(
        upon,
        `version: 1\nname: me/upon\ndata:\n  package: ${SAMPLE_NAME}@${built.topHash}\n${TINY_MODEL}seed: 9\n`,
      );
      trained = await runJson<BuildDocument>(['build', upon, ...fresh(), ...registry]);
      await runJson(['push', 'me/upon', ...fresh(), ...registry]);
    });

    it('does not make that data again, and has it byte for byte', async () => {
      expect(trained.steps.map(({ name }) => name)).toEqual([
        ...['dataset', 'examples', 'train', 'evaluate', 'summarize'],
      ]);
      const data = /^(?:images|images_cropped|metadata)\//;
      const of = async (hash: string) =>
        [...(await filesOf(registry, hash))].filter(([key]) => data.test(key));
      expect(await of(trained.topHash)).toEqual(await of(built.topHash));
    });

    it('pins it by its top hash', async () => {
      const text = await readFile(upon.replace('.yaml', '.lock.json'), 'utf8');
      expect(JSON.parse(text)).toMatchObject({
        bases: [{ use: 'data', name: SAMPLE_NAME, topHash: built.topHash }],
      });
    });

    it('is reproduced from itself alone', async () => {
      const args = ['reproduce', 'me/upon', ...registry, '--store', join(folder, 'again')];
      expect(await runJson(args)).toMatchObject({ reproduced: true, rebuilt: trained.topHash });
    });

    it('is refused with a query of its own', async () => {
      const text = await readFile(upon, 'utf8');
      await writeFile(upon, text.replace('data:\n', 'data:\n  query: { classes: [Apple] }\n'));
      const { exitCode, stderr } = await runCli(['build', upon, ...fresh(), ...registry]);
      await writeFile(upon, text);
      expect(exitCode).toBe(10);
      expect(stderr).toMatch(/upon\.yaml:4:\d+: data\.query/);
    });
  });
});
