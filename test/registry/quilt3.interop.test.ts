/** Real quilt3 and `pkg` read what the other pushed to one S3 server, to the same top hashes. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { QUILT3_PYTHON, runQuilt3 } from '../support/quilt3-python.ts';
import { makeBucket } from '../support/s3-buckets.ts';
import { asFound, filesBelow, noise, writeFiles } from '../support/sample-packages.ts';
import { describeWith, ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { withServer } from './interop-server.ts';

const FILES = {
  'README.md': '# read me\n',
  'data/a b': 'one',
  'data/a-b': 'two',
  'data/a/x': 'three',
  'data/empty': '',
  'large.bin': noise(9 * 2 ** 20, 3),
  "odd é e\u0301 #?%+&=;@$,!'()*[]~ 😀/日本 %41": 'odd',
  '\uff5e': 'before',
  '\u{1f600}': 'after',
};

interface Pushed {
  readonly topHash: string;
}

interface Listed {
  readonly packages: readonly { readonly name: string; readonly latest: string }[];
}

/** What quilt3 makes of a package: its names, top hash, metadata, and the bytes it installs. */
const READ_BY_QUILT3 = `
registry, name = args['registry'], args['name']
pkg = Package.browse(name, registry=registry)
Package.install(name, registry=registry, dest=args['dest'])
installed = Package.browse(name)
say({
    'packages': sorted(quilt3.list_packages(registry)),
    'top_hash': pkg.top_hash,
    'installed': installed.top_hash,
    'verified': pkg.verify(args['dest']),
    'keys': [key for key, _ in pkg.walk()],
})
`;

interface ReadByQuilt3 {
  readonly packages: readonly string[];
  readonly top_hash: string;
  readonly installed: string;
  readonly verified: boolean;
  readonly keys: readonly string[];
}

interface BuiltSample {
  readonly work: string;
  readonly store: string;
  readonly built: Pushed & { readonly entries: number };
}

/** Builds the sample once, before the tests of the suite, in a copy of its own. */
function buildSample(): () => BuiltSample {
  let sample: BuiltSample | undefined;
  beforeAll(async () => {
    const work = await temporaryFolder();
    const store = join(work, 'store');
    await cp(join(ROOT, 'manifests'), join(work, 'manifests'), { recursive: true });
    const manifest = join(work, 'manifests/sample.yaml');
    const built = await runJson<BuiltSample['built']>(['build', manifest, '--store', store]);
    sample = { work, store, built };
  });
  return () => {
    if (sample === undefined) throw new Error('the sample was not built');
    return sample;
  };
}

describeWith('python with quilt3', QUILT3_PYTHON)('quilt3 and pkg', () => {
  const server = withServer();
  const sample = buildSample();

  /** A bucket that keeps objects one by one, as quilt3 needs them. */
  const makeReadable = async (kind: 'unversioned' | 'versioned') => {
    const bucket = await makeBucket(server().owner, kind);
    const create = ['registry', 'create', `s3://${bucket}`, '--policy', 'objects'];
    await runJson(create, { env: server().env });
    return bucket;
  };

  it('quilt3 lists what pkg keeps in packs, and says that the objects are not there', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { a: 'one', 'b/c': 'two' });
    const registry = `s3://${await makeBucket(server().owner)}`;
    const push = ['push', 'user/packed', '--dir', folder, '--registry', registry];
    const { topHash } = await runJson<Pushed>(push, { env: server().env });
    const program = `
pkg = Package.browse(args['name'], registry=args['registry'])
try:
    pkg.fetch(args['dest'])
    fetched = True
except Exception:
    fetched = False
say({'top_hash': pkg.top_hash, 'keys': [key for key, _ in pkg.walk()], 'fetched': fetched})
`;
    const args = { name: 'user/packed', registry, dest: join(await temporaryFolder(), 'dest') };
    const found = await runQuilt3(program, args, server().env);
    expect(found).toEqual({ top_hash: topHash, keys: ['a', 'b/c'], fetched: false });
  });

  for (const kind of ['unversioned', 'versioned'] as const) {
    describe(`on an ${kind} bucket`.replace('an v', 'a v'), () => {
      let bucket = '';

      beforeAll(async () => {
        bucket = await makeReadable(kind);
      });

      const pkg = async <Document>(...args: string[]): Promise<Document> =>
        await runJson<Document>([...args, '--registry', `s3://${bucket}`], { env: server().env });

      const read = async (name: string, dest: string): Promise<ReadByQuilt3> => {
        const args = { registry: `s3://${bucket}`, name, dest };
        return (await runQuilt3(READ_BY_QUILT3, args, server().env)) as ReadByQuilt3;
      };

      it('quilt3 lists, installs and verifies a folder that pkg pushed', async () => {
        const folder = await temporaryFolder();
        const dest = join(await temporaryFolder(), 'dest');
        await writeFiles(folder, FILES);
        const { topHash } = await pkg<Pushed>('push', 'user/folder', '--dir', folder);
        const found = await read('user/folder', dest);
        expect(found).toMatchObject({ verified: true, top_hash: topHash });
        expect(found.packages).toContain('user/folder');
        expect(found.installed).toBe(topHash);
        expect(await filesBelow(dest)).toEqual(asFound(FILES));
      });

      it('quilt3 finds both revisions that pkg pushed, and installs the earlier by its hash', async () => {
        const folder = await temporaryFolder();
        const dest = join(await temporaryFolder(), 'dest');
        await writeFiles(folder, { a: 'one', b: 'same' });
        const first = await pkg<Pushed>('push', 'user/revisions', '--dir', folder);
        await writeFiles(folder, { a: 'two' });
        const second = await pkg<Pushed>('push', 'user/revisions', '--dir', folder);
        const program = `
name, registry, hash = args['name'], args['registry'], args['hash']
Package.install(name, registry=registry, top_hash=hash, dest=args['dest'])
say({
    'versions': [hash for _, hash in quilt3.list_package_versions(name, registry)],
    'verified': Package.browse(name, registry=registry, top_hash=hash).verify(args['dest']),
})
`;
        const args = {
          registry: `s3://${bucket}`,
          name: 'user/revisions',
          hash: first.topHash,
          dest,
        };
        const found = (await runQuilt3(program, args, server().env)) as {
          readonly versions: readonly string[];
          readonly verified: boolean;
        };
        expect(found.verified).toBe(true);
        expect(new Set(found.versions)).toEqual(new Set([first.topHash, second.topHash]));
        expect(await filesBelow(dest)).toEqual(asFound({ a: 'one', b: 'same' }));
      });

      it('quilt3 lists, installs and verifies the sample that pkg built and pushed', async () => {
        const { work, store, built } = sample();
        const name = 'quilt/open_images_sample';
        const pushed = await pkg<Pushed>('push', name, '--store', store);
        expect(pushed.topHash).toBe(built.topHash);
        const dest = join(work, `by quilt3, ${kind}`);
        const found = await read(name, dest);
        expect(found).toMatchObject({ verified: true, top_hash: built.topHash });
        expect(found.installed).toBe(built.topHash);
        const byPkg = join(work, `by pkg, ${kind}`);
        await pkg('install', name, '--dest', byPkg);
        const files = await filesBelow(byPkg);
        expect(Object.keys(files)).toHaveLength(built.entries);
        expect(await filesBelow(dest)).toEqual(files);
      });

      it('pkg lists, installs and verifies what quilt3 pushed', async () => {
        const folder = await temporaryFolder();
        await writeFiles(folder, FILES);
        const program = `
pkg = Package()
pkg.set_dir('/', args['folder'], meta={'unicode': 'é😀', 'float': 1.0, 'big': 2**60, 'list': [1, None]})
pkg.set_meta({'unicode': 'é😀', 'float': 1.0, 'big': 2**60, 'nested': {'10': 1, '9': 1e-7}})
pkg['data'].set_meta({'about': 'the folder'})
pkg['README.md'].set_meta({'label': 'x', 'score': 0.1})
pkg = pkg.push(args['name'], registry=args['registry'], message='from quilt3', force=True)
say({'top_hash': pkg.top_hash, 'keys': [key for key, _ in pkg.walk()]})
`;
        const args = { folder, name: 'quilt3/made', registry: `s3://${bucket}` };
        const made = (await runQuilt3(program, args, server().env)) as ReadByQuilt3;
        const { packages } = await pkg<Listed>('ls');
        expect(packages).toContainEqual({
          name: 'quilt3/made',
          latest: made.top_hash,
          revisions: 1,
        });
        const listed = await pkg<{ entries: { logicalKey: string }[] }>('ls', 'quilt3/made');
        expect(listed.entries.map(({ logicalKey }) => logicalKey)).toEqual(made.keys);
        const dest = join(await temporaryFolder(), 'dest');
        const installed = await pkg<Pushed>('install', 'quilt3/made', '--dest', dest);
        expect(installed.topHash).toBe(made.top_hash);
        expect(await filesBelow(dest)).toEqual(asFound(FILES));
        const options = { env: server().env };
        expect(await runJson(['verify', dest], options)).toMatchObject({ ok: true });
        const inPlace = await pkg('verify', 'quilt3/made');
        expect(inPlace).toMatchObject({ ok: true, topHash: made.top_hash, findings: [] });
        const shown = await pkg<{ header: Record<string, unknown> }>('show', 'quilt3/made');
        expect(shown.header).toMatchObject({ message: 'from quilt3' });
      });

      it('pkg installs each revision that quilt3 pushed, or says that its bytes are gone', async () => {
        const parent = await temporaryFolder();
        const contents = ['first content', 'other content'].map((text) => text.repeat(100));
        const folders = [join(parent, 'first'), join(parent, 'second')];
        for (const [index, folder] of folders.entries()) {
          await writeFiles(folder, { a: contents[index] ?? '', b: 'same' });
        }
        const program = `
def push(folder):
    pkg = Package()
    pkg.set_dir('/', folder)
    return pkg.push(args['name'], registry=args['registry'], force=True).top_hash
say([push(folder) for folder in args['folders']])
`;
        const args = { folders, name: 'quilt3/revisions', registry: `s3://${bucket}` };
        const hashes = (await runQuilt3(program, args, server().env)) as readonly string[];
        for (const [index, hash] of hashes.entries()) {
          const dest = join(await temporaryFolder(), 'dest');
          const result = await runCli(
            ['install', `quilt3/revisions@${hash}`, '--registry', `s3://${bucket}`, '--dest', dest],
            { env: server().env },
          );
          if (kind === 'unversioned' && index === 0) {
            // The second push wrote over the first one's objects.
            expect(result.exitCode).toBe(13);
            expect(result.stderr).toContain('a has other bytes');
            continue;
          }
          expect(result).toMatchObject({ exitCode: 0, stderr: '' });
          const files = { a: contents[index] ?? '', b: 'same' };
          expect(await filesBelow(dest)).toEqual(asFound(files));
        }
      });
    });
  }

  // MinIO answers a server-side copy without the checksum that quilt3's push insists on.
  const copying = it.skipIf(process.env['PKG_S3_SERVER'] === 'minio');
  copying('quilt3 pushes on what pkg pushed, and its top hash stays', async () => {
    const folder = await temporaryFolder();
    const files = { 'data/a b': 'one', 'data/a/x': 'two', empty: '', 'é 😀': 'x'.repeat(2000) };
    await writeFiles(folder, files);
    const [bucket, other] = [await makeReadable('unversioned'), await makeBucket(server().owner)];
    const options = { env: server().env };
    const pushed = await runJson<Pushed>(
      ['push', 'user/source', '--dir', folder, '--registry', `s3://${bucket}`],
      options,
    );
    const program = `
pkg = Package.browse(args['name'], registry=args['registry'])
pkg.push(args['name'], registry=args['other'], message=None)
say(Package.browse(args['name'], registry=args['other']).top_hash)
`;
    const args = {
      ...{ name: 'user/source', registry: `s3://${bucket}`, other: `s3://${other}` },
    };
    expect(await runQuilt3(program, args, server().env)).toBe(pushed.topHash);
    const dest = join(await temporaryFolder(), 'dest');
    const again = await runJson<Pushed>(
      ['install', 'user/source', '--registry', `s3://${other}`, '--dest', dest],
      options,
    );
    expect(again.topHash).toBe(pushed.topHash);
    expect(await filesBelow(dest)).toEqual(asFound(files));
  });
});
