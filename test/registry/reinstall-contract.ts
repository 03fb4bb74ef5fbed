/** The contract of installing over what is there: older revisions, local changes, other things. */
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readInstallation } from '../../src/installation/installation.ts';
import { asFound, filesBelow, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { install, NOTES, notesIn, withPackage } from './install-contract.ts';
import { failureOf, push, type Setup } from './registry-contract.ts';

const FILES = {
  'README.md': 'read me',
  'data/a': 'aaa',
  'data/deep/b': 'bbb',
  'data/empty': '',
  'database/c': 'ccc',
};

export function reinstallContract(setup: Setup): void {
  it('replaces outdated files and removes those that the new revision lacks', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    const { topHash: old } = await install(registry, folder);
    await writeFiles(folder, { 'data/mine': 'mine' });
    const { 'data/a': _, ...rest } = FILES;
    const next = { ...rest, 'README.md': 'read me again', 'data/new': 'new' };
    await push(registry, samplePackage(next));
    expect(await install(registry, folder)).toMatchObject({ entries: 5, fetched: 2, reused: 3 });
    expect(await filesBelow(folder)).toEqual(asFound({ ...next, 'data/mine': 'mine' }));
    await install(registry, folder, { reference: `user/name@${old}` });
    expect(await filesBelow(folder)).toEqual(asFound({ ...FILES, 'data/mine': 'mine' }));
  });

  it('follows a revision in which a file became a folder, and back', async () => {
    const before = { kept: 'kept', 'x/y': 'file in a folder', z: 'file' };
    const after = { kept: 'kept', x: 'file', 'z/y': 'file in a folder' };
    const { registry, folder } = await withPackage(setup, before);
    await install(registry, folder);
    await push(registry, samplePackage(after));
    await install(registry, folder);
    expect(await filesBelow(folder)).toEqual(asFound(after));
    await push(registry, samplePackage(before));
    await install(registry, folder);
    expect(await filesBelow(folder)).toEqual(asFound(before));
  });

  it('goes on where an install was killed before it had noted anything', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await writeFiles(folder, { '.pkg/.00000000-0000-0000-0000-000000000000.tmp': 'half' });
    expect(await install(registry, folder)).toMatchObject({ entries: 5, fetched: 5 });
  });

  it('keeps notes and list of one revision, whatever was written last', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    const { topHash } = await install(registry, folder);
    await writeFiles(folder, { [`.pkg/${'0'.repeat(64)}.jsonl`]: 'of a revision never noted' });
    expect(await readInstallation(folder)).toMatchObject({ topHash });
    await install(registry, folder);
    expect(await notesIn(folder)).toEqual(NOTES);
    expect(await readInstallation(folder)).toMatchObject({ topHash });
  });

  it('refuses a folder with other things in it, and leaves them alone', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await writeFiles(folder, { 'README.md': 'mine', other: 'mine too' });
    expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'usage' });
    expect(await filesBelow(folder)).toEqual(asFound({ 'README.md': 'mine', other: 'mine too' }));
    await install(registry, folder, { foreignFiles: 'overwrite' });
    expect(await filesBelow(folder)).toEqual(asFound({ ...FILES, other: 'mine too' }));
  });

  it('refuses a folder that holds another package, and a file in place of the folder', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder);
    await push(registry, samplePackage({ only: 'x' }), 'user/other');
    const reference = 'user/other';
    const error = await failureOf(install(registry, folder, { reference }));
    expect(error).toMatchObject({ code: 'usage' });
    expect(String(error)).toContain('user/name');
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
    const file = join(folder, 'README.md');
    expect(await failureOf(install(registry, file))).toMatchObject({ code: 'usage' });
  });

  it('overwrites another package, of which only a part was installed, when told', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder, { paths: ['data'] });
    await push(registry, samplePackage({ 'only/x': 'x', y: 'y' }), 'user/other');
    const changes = { reference: 'user/other', foreignFiles: 'overwrite' } as const;
    await install(registry, folder, { ...changes, paths: ['only'] });
    expect(await readInstallation(folder)).toMatchObject({ name: 'user/other', paths: ['only'] });
    expect((await filesBelow(folder))['only/x']).toBe('x');
  });

  it('refuses to overwrite local changes, and names them; overwrites them when told', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder);
    await writeFiles(folder, { 'data/a': 'aab' });
    await push(registry, samplePackage({ ...FILES, 'data/a': 'next', 'data/deep/b': 'next' }));
    const error = await failureOf(install(registry, folder));
    expect(error).toMatchObject({ code: 'usage' });
    expect(String(error)).toContain('data/a');
    expect(String(error)).not.toContain('data/deep/b');
    expect(await filesBelow(folder)).toEqual(asFound({ ...FILES, 'data/a': 'aab' }));
    await install(registry, folder, { foreignFiles: 'overwrite' });
    const next = { ...FILES, 'data/a': 'next', 'data/deep/b': 'next' };
    expect(await filesBelow(folder)).toEqual(asFound(next));
  });

  it('keeps a changed file that the new revision no longer has', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder);
    await writeFiles(folder, { 'data/a': 'my version' });
    const { 'data/a': _, ...next } = FILES;
    await push(registry, samplePackage(next));
    await install(registry, folder);
    expect(await filesBelow(folder)).toEqual(asFound({ ...next, 'data/a': 'my version' }));
  });

  it('removes only what it put here, not what has the same bytes at a part not installed', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder, { paths: ['README.md'] });
    await writeFiles(folder, { 'data/a': FILES['data/a'] });
    const { 'data/a': _, ...next } = FILES;
    await push(registry, samplePackage(next));
    await install(registry, folder, { paths: ['README.md'] });
    const mine = { 'README.md': 'read me', 'data/a': FILES['data/a'] };
    expect(await filesBelow(folder)).toEqual(asFound(mine));
  });

  it('clears away what a killed install left behind long ago', async () => {
    const { registry, folder } = await withPackage(setup, FILES);
    await install(registry, folder);
    const leftover = join(folder, '.pkg', '.0b0e7d5c-4a4e-4a51-9a53-0d3f1c1f6a5e.tmp');
    await writeFile(leftover, 'half a file');
    await utimes(leftover, new Date(0), new Date(0));
    await install(registry, folder);
    expect(await notesIn(folder)).toEqual(NOTES);
  });
}
