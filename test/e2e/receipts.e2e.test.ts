/** Receipts at the command line: what is shown of them, and what is refused for want of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseTopHash } from '../../src/package/package.ts';
import { writeBuildRecord } from '../../src/registry/build-records.ts';
import { writeReceipt } from '../../src/registry/receipts.ts';
import { readSigningKey, type SigningKey } from '../../src/signatures/keys.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { buildRecord } from '../support/build-records.ts';
import { runCli, runJson } from '../support/cli.ts';
import { differingReceipt, sameReceipt } from '../support/receipts.ts';
import { testRuntime } from '../support/runtime.ts';
import { writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface ShowDocument {
  readonly topHash: string;
  readonly signatures: readonly unknown[];
  readonly receipts: readonly { readonly signers: readonly { readonly standing: string }[] }[];
  readonly builds: readonly { readonly signed: boolean }[];
}

/** A registry with a package, three builders with keys, and someone who trusts two of them. */
async function setUp() {
  const folder = await temporaryFolder();
  await writeFiles(join(folder, 'files'), { 'a.txt': 'a', 'b/c.txt': 'c' });
  const builders = { PKG_CONFIG: join(folder, 'builders'), PKG_STORE: join(folder, 'store') };
  const reader = { PKG_CONFIG: join(folder, 'reader'), PKG_STORE: join(folder, 'other-store') };
  const registry = ['--registry', join(folder, 'registry')];
  const push = ['push', 'user/name', '--dir', join(folder, 'files'), ...registry];
  const { topHash } = await runJson<ShowDocument>(push, { env: builders });
  const keys: SigningKey[] = [];
  for (const name of ['ada', 'bob', 'eve']) {
    const args = ['keys', 'generate', name];
    const made = await runJson<Record<'privatePath' | 'publicPath', string>>(args, {
      env: builders,
    });
    keys.push(await readSigningKey(testRuntime(), made.privatePath));
    if (name !== 'eve') await runJson(['trust', 'add', made.publicPath], { env: reader });
  }
  return {
    folder,
    keys: keys as [SigningKey, SigningKey, SigningKey],
    storage: new DirectoryStorage(testRuntime(), join(folder, 'registry')),
    release: { name: 'user/name', topHash: parseTopHash(topHash) },
    run: async (...args: string[]) => await runCli([...args, ...registry], { env: reader }),
    show: async () =>
      await runJson<ShowDocument>(['show', 'user/name', ...registry], { env: reader }),
  };
}

it('installs what enough trusted keys have built again, and names who contradicts', async () => {
  const { folder, keys, storage, release, run, show } = await setUp();
  const [ada, bob, eve] = keys;
  const dest = join(folder, 'dest');
  const install = async (...more: string[]) =>
    await run('install', 'user/name', '--dest', dest, ...more);
  const tooFew = await install('--require-receipts', '2');
  expect(tooFew).toMatchObject({ exitCode: 13, stdout: '' });
  expect(tooFew.stderr).toContain('has receipts of 0 trusted keys, and 2 are required');
  await expect(readFile(join(dest, 'a.txt'))).rejects.toThrow('ENOENT');

  await writeReceipt(storage, release, sameReceipt(), ada);
  await writeReceipt(storage, release, sameReceipt(), bob);
  await writeReceipt(storage, release, differingReceipt(), eve);
  await writeBuildRecord(storage, release, buildRecord(), []);
  expect(await install('--require-receipts', '3')).toMatchObject({ exitCode: 13 });
  expect(await install('--require-receipts', '2', '--dry-run')).toMatchObject({ exitCode: 0 });
  expect(await install('--require-receipts', '2')).toMatchObject({ exitCode: 0 });
  expect(await readFile(join(dest, 'a.txt'), 'utf8')).toBe('a');
  expect(await install('--require-receipts', '2', '--offline')).toMatchObject({ exitCode: 15 });
  for (const wrong of ['0', '-1', '1.5', 'two']) {
    expect(await install('--require-receipts', wrong)).toMatchObject({ exitCode: 2, stdout: '' });
  }

  const { stdout } = await run('show', 'user/name');
  const id = ({ publicKey }: SigningKey) => `key ${publicKey.keyid.slice(0, 12)}`;
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));
  const host = 'pkg 0.1.0, Node 20.20.2, linux x64';
  expect(lines).toEqual(
    expect.arrayContaining([
      `receipt | ${id(ada)} (ada.pub) | same | ${host}`,
      `receipt | ${id(eve)} (unknown key) | differs from step train on at models/weights.bin | ${host}`,
      `build | not signed | 2026-01-02T03:04:05.678Z, 10 s | ${host}, Linux 6.8.0, ` +
        '4 x Some Processor at 3 GHz, 4 workers',
    ]),
  );
  const document = await show();
  expect(document).toMatchObject({ signatures: [], builds: [{ signed: false }] });
  const standings = document.receipts.flatMap(({ signers }) => signers.map((one) => one.standing));
  expect(standings.sort()).toEqual(['trusted', 'trusted', 'unknown']);

  await writeReceipt(storage, release, differingReceipt(), bob);
  const contradicted = await install('--require-receipts', '1');
  expect(contradicted).toMatchObject({ exitCode: 13, stdout: '' });
  expect(contradicted.stderr).toContain(
    `when key ${bob.publicKey.keyid} (bob.pub) built it again, first in step "train"`,
  );
});
