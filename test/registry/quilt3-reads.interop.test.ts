/** `pkg` installs, verifies and shows what real quilt3 wrote, and refuses what its reader wrongly takes. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { QUILT3_PYTHON, runQuilt3 } from '../support/quilt3-python.ts';
import { makeBucket } from '../support/s3-buckets.ts';
import { asFound, filesBelow, writeFiles } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { withServer } from './interop-server.ts';

const FILES = {
  'data/a b#c?d%e+f': 'odd',
  'data/é 日本 😀': 'x'.repeat(3000),
  'data/%41+%2B': 'encoded looks',
  'data/empty': '',
  '\uff5e': 'before',
  '\u{1f600}': 'after',
};

/** Files at `<user>/<pkg>/<key>`, a folder with metadata, a workflow; then again with hashes of old. */
const PUSH_AND_REWRITE = `
import hashlib
from quilt3.data_transfer import get_bytes, put_bytes
from quilt3.util import PhysicalKey
registry = args['registry']
root = PhysicalKey.from_url(registry)
config = '''
version: "1"
is_workflow_required: false
workflows: {alpha: {name: Alpha, metadata_schema: meta}}
schemas: {meta: {url: %s/meta.json}}
''' % registry
put_bytes(b'{"required": ["about"]}', root.join('meta.json'))
put_bytes(config.encode(), root.join('.quilt/workflows/config.yml'))
pkg = Package()
pkg.set_dir('/', args['folder'], meta={'about': 'é😀', 'float': 1.0, 'big': 2**60})
pkg.set_dir('data', args['folder'] + '/data', meta={'of': 'the folder'})
pkg['data/empty'].set_meta({'label': [1, 1e-7, None]})
pushed = pkg.push('quilt3/pushed', registry=registry, message='new', workflow='alpha', force=True)
old = Package.browse('quilt3/pushed', registry=registry)
for _, entry in old.walk():
    digest = hashlib.sha256(get_bytes(entry.physical_key)).hexdigest()
    entry.hash = {'type': 'SHA256', 'value': digest}
old_hash = old.build('quilt3/old', registry=registry, message='old', workflow=None)
say({
    'pushed': pushed.top_hash,
    'old': old_hash,
    'workflow': pushed._meta['workflow'],
    'keys': {key: str(entry.physical_key) for key, entry in pushed.walk()},
})
`;

/** A list with one key that no file may have, written under the top hash that quilt3 computes. */
const WRITE_HOSTILE = `
import io
from quilt3.backends import get_package_registry
registry = get_package_registry(args['registry'])
pkg = Package()
pkg.set('KEY', args['file'])
pkg.build('quilt3/plain', registry=args['registry'], message='m')
text = io.BytesIO()
pkg.dump(text)
def write(index, key):
    changed = text.getvalue().decode().replace('"KEY"', json.dumps(key)).encode()
    name = 'hostile/case-%d' % index
    hash = Package.load(io.BytesIO(changed)).top_hash
    registry.push_manifest(name, hash, changed)
    return name
say([write(index, key) for index, key in enumerate(args['keys'])])
`;

interface Written {
  readonly pushed: string;
  readonly old: string;
  readonly workflow: Readonly<Record<string, unknown>>;
  readonly keys: Readonly<Record<string, string>>;
}

describeWith('python with quilt3', QUILT3_PYTHON)('what quilt3 wrote', () => {
  const server = withServer();

  for (const kind of ['unversioned', 'versioned'] as const) {
    describe(`on an ${kind} bucket`.replace('an v', 'a v'), () => {
      let registry = '';
      let written: Written | undefined;

      beforeAll(async () => {
        const folder = await temporaryFolder();
        await writeFiles(folder, FILES);
        registry = `s3://${await makeBucket(server().owner, kind)}`;
        const args = { registry, folder };
        written = (await runQuilt3(PUSH_AND_REWRITE, args, server().env)) as Written;
      });

      const pkg = async (...args: string[]): Promise<unknown> =>
        await runJson([...args, '--registry', registry], { env: server().env });

      for (const which of ['pushed', 'old'] as const) {
        it(`is installed and verified, its hashes of the ${which} kind`, async () => {
          const name = `quilt3/${which}`;
          const topHash = written?.[which];
          const dest = join(await temporaryFolder(), 'dest');
          expect(await pkg('install', name, '--dest', dest)).toMatchObject({ topHash });
          expect(await filesBelow(dest)).toEqual(asFound(FILES));
          const options = { env: server().env };
          expect(await runJson(['verify', dest], options)).toMatchObject({ ok: true });
          expect(await pkg('verify', name)).toMatchObject({ ok: true, topHash });
        });
      }

      it('is shown with its workflow and its metadata', async () => {
        const shown = await pkg('show', 'quilt3/pushed');
        expect(shown).toMatchObject({ header: { message: 'new', workflow: written?.workflow } });
        const urls = JSON.stringify(written?.workflow);
        expect(urls.includes('?versionId=')).toBe(kind === 'versioned');
        const listed = (await pkg('ls', 'quilt3/pushed')) as {
          readonly entries: readonly { readonly logicalKey: string }[];
        };
        const keys = Object.keys(written?.keys ?? {});
        expect(listed.entries.map(({ logicalKey }) => logicalKey)).toEqual(keys);
        const key = written?.keys['data/empty'] ?? '';
        expect(key.split('?')[0]).toBe(`${registry}/quilt3/pushed/data/empty`);
      });
    });
  }

  it('is refused where a key would leave the folder or is no file, and nothing is written', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { file: 'hostile' });
    const parent = await temporaryFolder();
    const keys = [
      '../evil',
      'a/../../evil',
      '..',
      `${parent}/evil`,
      'a//b',
      './x',
      'a/./b',
      'a\0b',
    ];
    const registry = join(await temporaryFolder(), 'registry');
    const args = { registry: `file://${registry}`, file: join(folder, 'file'), keys };
    const names = (await runQuilt3(WRITE_HOSTILE, args, {})) as readonly string[];
    expect(names).toHaveLength(keys.length);
    const options = { env: server().env };
    for (const [index, name] of names.entries()) {
      const dest = join(parent, 'dest');
      for (const command of [
        ['install', name, '--dest', dest],
        ['verify', name],
        ['ls', name],
      ]) {
        const result = await runCli([...command, '--registry', registry], options);
        expect([keys[index], command[0], result.exitCode]).toEqual([keys[index], command[0], 13]);
        expect(result.stderr).toContain('is refused');
      }
      expect(await filesBelow(parent)).toEqual({});
    }
  });
});
