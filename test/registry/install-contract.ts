/** The contract of installing: whole packages, parts of them, and what is here already. */
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type InstallOptions, installPackage } from '../../src/installation/install.ts';
import { readInstallation } from '../../src/installation/installation.ts';
import { packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { verifyFiles } from '../../src/package/verify.ts';
import { parseReference } from '../../src/registry/reference.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { testRuntime } from '../support/runtime.ts';
import {
  asFound,
  entryOf,
  type Files,
  filesBelow,
  headerOf,
  noise,
  samplePackage,
} from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { failureOf, plant, plantPackage, push, type Setup } from './registry-contract.ts';

const FILES = {
  'README.md': 'read me',
  'data/a': 'aaa',
  'data/deep/b': 'bbb',
  'data/empty': '',
  'database/c': 'ccc',
  'odd é #?%+&=;😀 name': 'odd',
};

/** Options of an install, with the reference and the runtime where they are not the usual ones. */
type Changes = Partial<InstallOptions> & { reference?: string; runtime?: Runtime };

export async function install(registry: Storage, folder: string, changes: Changes = {}) {
  const { reference = 'user/name', runtime = testRuntime(), ...options } = changes;
  return await installPackage(runtime, registry, parseReference(reference), {
    folder,
    paths: [],
    foreignFiles: 'refuse',
    ...options,
  });
}

/** A registry with a pushed package, and a folder that is not there yet. */
export async function withPackage(setup: Setup, files: Files) {
  const registry = await (await setup())();
  await push(registry, samplePackage(files));
  return { registry, folder: join(await temporaryFolder(), 'new/folder') };
}

/** The files of our own folder in an installation; top hashes are told as such. */
export async function notesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, '.pkg'));
  return names.map((name) => name.replace(/^[0-9a-f]{64}/, '<top hash>')).sort();
}

export const NOTES: readonly string[] = ['<top hash>.jsonl', 'files.cache', 'installed.json'];

export function installContract(setup: Setup): void {
  it('writes every file, and notes by which the folder can be checked', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    const { pkg } = samplePackage(FILES);
    expect(await install(registry, folder)).toEqual({
      ...{ name: 'user/name', topHash: topHash(pkg), entries: 6, sizeBytes: 19 },
      ...{ fetched: 6, fromStore: 0, reused: 0, fetchedBytes: 19 },
    });
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
    expect(await notesIn(folder)).toEqual(NOTES);
    const installation = await readInstallation(folder);
    expect(installation).toMatchObject({ name: 'user/name', topHash: topHash(pkg), paths: [] });
    expect(topHash(installation.pkg)).toBe(topHash(pkg));
    for await (const finding of verifyFiles(testRuntime(), pkg.entries, folder)) {
      throw new Error(`unexpected finding ${JSON.stringify(finding)}`);
    }
  });

  it('writes files of several parts', async () => {
    const files = { large: noise(20 * 2 ** 20, 5), edge: noise(8 * 2 ** 20, 6) };
    const { registry, folder } = await withPackage(setup, files);
    await install(registry, folder);
    expect(await filesBelow(folder)).toEqual(asFound(files));
  });

  it('writes only what lies at the paths asked for, and more when asked again', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    const part = await install(registry, folder, { paths: ['data/', 'README.md'] });
    expect(part).toMatchObject({ entries: 4, fetched: 4, sizeBytes: 13 });
    expect(Object.keys(await filesBelow(folder))).toEqual([
      ...['README.md', 'data/a', 'data/deep/b', 'data/empty'],
    ]);
    const more = await install(registry, folder, { paths: ['database/c'] });
    expect(more).toMatchObject({ entries: 5, fetched: 1, reused: 4 });
    const all = await install(registry, folder);
    expect(all).toMatchObject({ entries: 6, fetched: 1, reused: 5 });
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
  });

  it('says at which path there is nothing, before anything is written', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    for (const path of ['dat', 'data/x', '..', '/data', 'data/deep/b/c']) {
      const error = await failureOf(install(registry, folder, { paths: ['data/a', path] }));
      expect(error).toMatchObject({ code: 'not-found' });
      expect(String(error)).toContain(path);
    }
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('fetches nothing that is here already', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder);
    await writeFile(join(folder, 'my own notes'), 'mine');
    expect(await install(registry, folder)).toMatchObject({ fetched: 0, reused: 6 });
    expect(await filesBelow(folder)).toEqual(asFound({ ...FILES, 'my own notes': 'mine' }));
  });

  it('brings back files that were deleted', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder, { paths: ['data'] });
    await rm(join(folder, 'data/deep'), { recursive: true });
    expect(await install(registry, folder, { paths: ['data'] })).toMatchObject({
      ...{ fetched: 1, reused: 2 },
    });
  });

  it('goes on after an interruption with what is not here yet', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 80 }, (_, index) => [`f/${String(index)}`, `content ${String(index)}`]),
    );
    const { registry, folder } = await withPackage(setup, many);
    const controller = new AbortController();
    const runtime = testRuntime({
      signal: controller.signal,
      report: (event) => {
        if (event.kind === 'advanced' && event.done === 5) controller.abort(new Error('stop'));
      },
    });
    await failureOf(install(registry, folder, { runtime }));
    const partly = await filesBelow(folder);
    expect(Object.keys(partly).length).toBeLessThan(80);
    for (const [key, content] of Object.entries(partly)) {
      expect(content).toBe(many[key]);
    }
    const result = await install(registry, folder);
    expect(result.reused).toBe(Object.keys(partly).length);
    expect(result.fetched).toBe(80 - result.reused);
    expect(await filesBelow(folder)).toEqual(asFound(many));
    expect(await notesIn(folder)).toEqual(NOTES);
  });

  it('installs entries that state no SHA-256 by their physical keys', async () => {
    const registry = await (await setup())();
    const entries = ['a b', 'c/é', 'empty'].map((logicalKey) => {
      const data = Buffer.from(logicalKey === 'empty' ? '' : `content of ${logicalKey}`);
      const key = `user/name/${logicalKey}`;
      return { key, data, entry: entryOf(logicalKey, data, registry.physicalKey(key)) };
    });
    for (const { key, data } of entries) await plant(registry, key, data);
    const plain = entries.map(({ entry }) => ({ ...entry, meta: new Map() }));
    await plantPackage(registry, 'user/name', packageOf(headerOf(null), plain));
    const folder = await temporaryFolder();
    expect(await install(registry, folder)).toMatchObject({ fetched: 3 });
    const files = { 'a b': 'content of a b', 'c/é': 'content of c/é', empty: '' };
    expect(await filesBelow(folder)).toEqual(asFound(files));
  });

  it('finds objects under their digest wherever the physical keys point', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    const { pkg } = samplePackage(FILES);
    const nonsense = ['file:///nowhere/at/all', 's3://another-bucket/key?versionId=1', 'file:///'];
    const entries = [...pkg.entries].map((entry, index) => ({
      ...entry,
      physicalKey: nonsense[index % nonsense.length] ?? '',
    }));
    await plantPackage(registry, 'user/name', { ...pkg, entries });
    await install(registry, folder);
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
  });

  it('replaces a link in place of a file, when told, without touching what it leads to', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    const outside = join(await temporaryFolder(), 'outside');
    await writeFile(outside, 'outside');
    await mkdir(folder, { recursive: true });
    await symlink(outside, join(folder, 'README.md'));
    expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'usage' });
    await install(registry, folder, { foreignFiles: 'overwrite' });
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
    expect(await filesBelow(join(outside, '..'))).toEqual(asFound({ outside: 'outside' }));
  });
}
