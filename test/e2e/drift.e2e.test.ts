/** The fetch record: another machine with the same lockfile gets the same bytes, or hears which drifted. */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { chooseOidClasses, OID_FOLDER, writeOidManifest } from '../support/oid.ts';
import { startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { cell, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface BuildDocument {
  readonly topHash: string;
}

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('another machine with the lockfile', () => {
  let server: Awaited<ReturnType<typeof startImageServer>>;
  let data: string;
  let work: string;
  let reference: BuildDocument;
  let photo: { id: string; file: string };
  const classes = [...chooseOidClasses().values()].slice(0, 1);

  beforeAll(async () => {
    work = await temporaryFolder();
    data = join(work, 'data');
    await cp(OID_FOLDER, data, { recursive: true });
    server = await startImageServer({ data });
    const origin = join(work, 'origin');
    await mkdir(origin);
    const manifest = await writeOidManifest(origin, { baseUrl: server.url, classes });
    const store = ['--store', join(origin, 'store')];
    reference = await runJson<BuildDocument>(['build', manifest, ...store]);
    await runJson(['push', 'test/oid', ...store, '--registry', join(work, 'registry')]);
    const folder = join(work, 'installed');
    const registry = ['--registry', join(work, 'registry')];
    await runJson(['install', 'test/oid', 'metadata', ...registry, '--dest', folder]);
    const row = readTable(join(folder, 'metadata/images.csv')).find(
      (candidate) => cell(candidate, 'Status') === 'ok',
    );
    const url = cell(row ?? {}, 'OriginalURL');
    photo = { id: cell(row ?? {}, 'ImageID'), file: url.slice(url.lastIndexOf('/') + 1) };
  });
  afterAll(() => server.stop());

  /** A fresh machine: manifest and lockfile, an empty store. */
  const freshMachine = async (name: string) => {
    const folder = join(work, name);
    await mkdir(folder);
    for (const file of ['manifest.yaml', 'manifest.lock.json']) {
      await cp(join(work, 'origin', file), join(folder, file));
    }
    return ['build', join(folder, 'manifest.yaml'), '--store', join(folder, 'store')];
  };

  it('builds the same package while the network answers as it did', async () => {
    const built = await runJson<BuildDocument>(await freshMachine('same'));
    expect(built.topHash).toBe(reference.topHash);
  });

  it('names the photos that drifted, by exit 11', async () => {
    const path = join(data, 'images', photo.file);
    await cp(path, `${path}.kept`);
    await rm(path);
    const result = await runCli(await freshMachine('drifted'));
    await cp(`${path}.kept`, path);
    expect(result.exitCode).toBe(11);
    expect(result.stderr).toContain(`photo ${photo.id} was ok, is missing`);
    expect(result.stderr).toContain('--update');
  });

  it('says so when a photo came back that the lockfile records as gone', async () => {
    const missing = readTable(join(work, 'installed/metadata/images.csv')).find(
      (row) => cell(row, 'Status') === 'missing',
    );
    const url = cell(missing ?? {}, 'OriginalURL');
    const path = join(data, 'images', url.slice(url.lastIndexOf('/') + 1));
    await cp(join(data, 'images', photo.file), path);
    const result = await runCli(await freshMachine('returned'));
    await rm(path);
    expect(result.exitCode).toBe(11);
    expect(result.stderr).toContain(
      `photo ${cell(missing ?? {}, 'ImageID')} was missing, is changed`,
    );
  });

  it('takes the recorded photos out of a registry although they changed or left the web', async () => {
    const path = join(data, 'images', photo.file);
    await cp(path, `${path}.kept`);
    await writeFile(path, 'no photo any more');
    const machine = await freshMachine('from-registry');
    const built = await runJson<BuildDocument>([...machine, '--registry', join(work, 'registry')]);
    await cp(`${path}.kept`, path);
    expect(built.topHash).toBe(reference.topHash);
  });

  it('records anew what the network answers with --update', async () => {
    const path = join(data, 'images', photo.file);
    await cp(path, `${path}.kept`);
    await rm(path);
    const machine = await freshMachine('renewed');
    const built = await runJson<BuildDocument & { images: Record<string, number> }>([
      ...machine,
      '--update',
    ]);
    await cp(`${path}.kept`, path);
    expect(built.topHash).not.toBe(reference.topHash);
    const again = await runJson<BuildDocument>([...machine, '--update', '--refetch']);
    expect(again.topHash).toBe(reference.topHash);
  });

  it('says by exit 11 that a table changed since it was pinned', async () => {
    const path = join(data, 'train-annotations-bbox.csv');
    await cp(path, `${path}.kept`);
    await writeFile(path, 'ImageID\n');
    const result = await runCli(await freshMachine('tables'));
    await cp(`${path}.kept`, path);
    expect(result.exitCode).toBe(11);
    expect(result.stderr).toMatch(/train-annotations-bbox\.csv was \d+ bytes .* is 8 bytes/);
  });
});
