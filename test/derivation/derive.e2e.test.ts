/** `pkg install --derive` on real photos: the bytes that are moved, the files that come, what is loaded. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { POLICIES } from '../../src/objects/settings.ts';
import { openStore } from '../../src/store/store.ts';
import { runCli, runJson } from '../support/cli.ts';
import { chooseOidClasses, writeOidManifest } from '../support/oid.ts';
import { testRuntime } from '../support/runtime.ts';
import { filesBelow } from '../support/sample-packages.ts';
import { type RunningServer, startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { CountingStorage, installing } from './cropped-packages.ts';

interface Installed {
  readonly fetchedBytes: number;
  readonly derived?: {
    readonly crops: number;
    readonly photos: number;
    readonly movedBytes: number;
    readonly insteadOfBytes: number;
  };
}

/** Writes to a file which shared libraries a process had loaded when it ended. */
const PROBE = `process.on('exit', () => {
  const { sharedObjects } = process.report.getReport();
  require('node:fs').writeFileSync(process.env.LOADED_FILE, sharedObjects.join('\\n'));
});`;

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('a package of real photos', () => {
  let server: RunningServer;
  let root: string;
  const address = (policy: string) => join(root, policy);
  const folder = (name: string) => join(root, 'installed', name);

  beforeAll(async () => {
    server = await startImageServer();
    root = await temporaryFolder();
    const classes = chooseOidClasses().values();
    const manifest = await writeOidManifest(root, { baseUrl: server.url, classes });
    const store = ['--store', join(root, 'store')];
    await runJson(['build', manifest, ...store]);
    for (const policy of POLICIES) {
      await mkdir(address(policy));
      await runJson(['registry', 'create', address(policy), '--policy', policy]);
      await runJson(['push', 'test/oid', ...store, '--registry', address(policy)]);
    }
  });
  afterAll(() => server.stop());

  it.each(POLICIES)(
    'moves fewer bytes out of a registry of %s, for the same files',
    async (policy) => {
      for (const paths of [[], ['images_cropped']]) {
        const how = { reference: 'test/oid', paths };
        const name = `${policy}-${String(paths.length)}`;
        const openTo = async (what: string) => {
          const store = await openStore(join(root, `${what}-${name}-store`), Date.now());
          return installing(new CountingStorage(testRuntime(), address(policy)), store);
        };
        const plain = await (await openTo('plain')).install(folder(`plain-${name}`), {
          ...how,
          derive: undefined,
        });
        const derived = await (await openTo('derived')).install(folder(`derived-${name}`), how);
        expect(await filesBelow(folder(`derived-${name}`))).toEqual(
          await filesBelow(folder(`plain-${name}`)),
        );
        expect(derived.readBytes).toBeLessThan(0.85 * plain.readBytes);
        expect(derived.derived?.insteadOfBytes).toBe(plain.fetchedBytes);
        expect(derived.derived?.movedBytes).toBe(derived.fetchedBytes);
        if (policy === 'objects') expect(derived.fetchedBytes).toBe(derived.readBytes);
      }
    },
  );

  const install = (name: string, ...args: readonly string[]) => [
    ...['install', 'test/oid', '--registry', address('objects')],
    ...['--store', join(root, `${name}-store`), '--dest', folder(name), ...args],
  ];

  it('says what is derived, before and after, in words and in JSON', async () => {
    const planned = await runJson<Installed>(install('words', '--derive', '--dry-run'));
    const words = await runCli(install('words', '--derive', '--dry-run'));
    expect(words.stdout).toMatch(/would derive \d+ crops from \d+ photos: .* to fetch instead of/);
    await expect(readdir(folder('words'))).rejects.toThrow('ENOENT');
    const done = await runCli(install('words', '--derive'));
    expect(done.stdout).toMatch(/derived \d+ crops from \d+ photos: .* moved instead of/);
    const other = await runJson<Installed>(install('json', '--derive'));
    expect(other.derived).toEqual(planned.derived);
    await runJson(['verify', folder('words')]);
    const again = await runCli(install('words', '--derive'));
    expect(again.stdout).toContain('derived no crops');
  });

  it('loads no picture library unless crops are derived', async () => {
    const probe = join(root, 'probe.cjs');
    await writeFile(probe, PROBE);
    const loadedBy = async (name: string, ...args: readonly string[]) => {
      const file = join(root, `${name}.txt`);
      const env = { NODE_OPTIONS: `--require ${probe}`, LOADED_FILE: file };
      const { exitCode, stderr } = await runCli(install(name, ...args), { env });
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      return await readFile(file, 'utf8');
    };
    expect(await loadedBy('plainly')).not.toMatch(/sharp|vips|duckdb/);
    expect(await loadedBy('dryly', '--derive', '--dry-run')).not.toMatch(/sharp|vips|duckdb/);
    expect(await loadedBy('deriving', '--derive')).toMatch(/sharp|vips/);
  });
});
