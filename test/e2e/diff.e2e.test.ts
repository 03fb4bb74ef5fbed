/** Two builds of the embedded sample, compared in the words of their tables. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { ROOT } from '../support/shared.ts';
import { cell, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Built {
  readonly topHash: string;
}

interface Change {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface Rows {
  readonly change: string;
  readonly rows: number;
  readonly of: Readonly<Record<string, number>>;
  readonly names: readonly string[];
}

interface Document {
  readonly same: boolean;
  readonly header: readonly Change[];
  readonly parameters: readonly Change[];
  readonly metrics: readonly Change[];
  readonly photos: readonly Rows[];
  readonly crops: readonly Rows[];
  readonly files: { readonly removed: readonly { readonly logicalKey: string }[] };
  readonly notes: readonly string[];
}

const NAME = 'quilt/open_images_sample';

describe('pkg diff on two builds', () => {
  let work: string;
  let registry: readonly string[];
  let first: Built;
  let second: Built;
  let lost: string;

  /** Builds and pushes what stands in the folder of manifests. */
  const build = async (): Promise<Built> => {
    const store = ['--store', join(work, 'store')];
    const built = await runJson<Built>(['build', join(work, 'm/sample.yaml'), ...store]);
    await runJson(['push', NAME, ...store, ...registry]);
    return built;
  };

  const edit = async (file: string, change: (text: string) => string): Promise<void> => {
    const path = join(work, 'm', file);
    await writeFile(path, change(await readFile(path, 'utf8')));
  };

  beforeAll(async () => {
    work = await temporaryFolder();
    registry = ['--registry', join(work, 'registry')];
    await cp(join(ROOT, 'manifests'), join(work, 'm'), { recursive: true });
    await rm(join(work, 'm/sample.lock.json'));
    await edit('sample.yaml', (text) => text.replace('epochs: 16', 'epochs: 2'));
    first = await build();
    await runJson(['install', NAME, ...registry, '--dest', join(work, 'installed')]);
    const crops = readTable(join(work, 'installed/metadata/crops.csv'));
    const ids = crops
      .filter((row) => cell(row, 'Class') === 'Sandwich' && cell(row, 'Reason') === '')
      .map((row) => cell(row, 'ImageID'));
    const images = readTable(join(work, 'installed/metadata/images.csv'));
    const photo = images.find((row) => cell(row, 'ImageID') === ids[0]);
    lost = cell(photo ?? {}, 'ImageID');
    await rm(join(work, 'm/sample', cell(photo ?? {}, 'OriginalURL')));
    const relabelled = ids.find((id) => id !== lost) ?? '';
    await edit('sample/train-annotations-bbox.csv', (text) =>
      text.replace(new RegExp(`(\\n${relabelled},[^,]*,)/m/0l515`), '$1/m/0cdn1'),
    );
    await edit('sample.yaml', (text) =>
      text.replace('epochs: 2', 'epochs: 3').replace('CC0-1.0', 'CC-BY-4.0'),
    );
    await rm(join(work, 'm/sample.lock.json'));
    second = await build();
  });

  it('says what died, what was relabelled, and which values differ', async () => {
    const references = [`${NAME}@${first.topHash}`, `${NAME}@${second.topHash}`];
    const found = await runJson<Document>(['diff', ...references, ...registry]);
    expect(found.same).toBe(false);
    expect(found.notes).toEqual([]);
    expect(found.header).toEqual([
      { key: 'user_meta.license', before: 'CC0-1.0', after: 'CC-BY-4.0' },
    ]);
    expect(found.parameters).toContainEqual({ key: 'model.fit.epochs', before: 2, after: 3 });
    expect(found.metrics.map(({ key }) => key)).toContain('validation.logLoss');
    expect(found.photos).toEqual([{ change: 'died', rows: 1, of: { missing: 1 }, names: [lost] }]);
    const changes = new Map(found.crops.map((rows) => [rows.change, rows]));
    expect(changes.get('relabelled')?.of).toEqual({ 'Sandwich -> Hamburger': 1 });
    const gone = found.files.removed.filter(({ logicalKey }) => logicalKey.includes(lost));
    expect(changes.get('gone')?.rows).toBe(gone.length - 1);
  });

  it('reads as words, and a folder that was installed is the revision', async () => {
    const installed = join(work, 'installed');
    const [differs, same] = await Promise.all([
      runCli(['diff', installed, NAME, ...registry]),
      runCli(['diff', installed, `${NAME}@${first.topHash}`, ...registry]),
    ]);
    expect(differs.exitCode).toBe(0);
    expect(differs.stdout).toContain('1 photo died (missing 1)');
    expect(differs.stdout).toContain('1 box relabelled (Sandwich -> Hamburger 1)');
    expect(differs.stdout).toContain('  model.fit.epochs: 2 -> 3\n');
    expect(same.stdout).toMatch(/\n\nno difference\n$/);
  });

  it('names what is neither a folder nor a revision', async () => {
    const [folder, revision] = await Promise.all([
      runCli(['diff', './nowhere', NAME, ...registry]),
      runCli(['diff', `${NAME}:nowhere`, NAME, ...registry]),
    ]);
    expect([folder.exitCode, revision.exitCode]).toEqual([12, 12]);
    expect(folder.stderr).toContain('there is no folder ./nowhere');
    expect(revision.stderr).toContain(`${NAME}:nowhere`);
  });
});
