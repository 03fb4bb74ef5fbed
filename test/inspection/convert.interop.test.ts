/** Real quilt3 installs from a registry that was converted into objects. */
import { expect, it } from 'vitest';
import { convertRegistry } from '../../src/conversion/convert.ts';
import { S3_BINARY, S3_KIND, withS3Server } from '../storage/s3-server.ts';
import { QUILT3_PYTHON, runQuilt3 } from '../support/quilt3-python.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, filesBelow } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { FILES, fill, findings } from './registries.ts';

const INSTALL = `
Package.install(args['name'], registry=args['registry'], dest=args['dest'])
pkg = Package.browse(args['name'], registry=args['registry'])
say(pkg.verify(args['dest']))
`;

const PUSH = `
import pathlib
folder = pathlib.Path(args['folder'])
folder.mkdir(exist_ok=True)
(folder / 'a.txt').write_text('by quilt3')
(folder / 'b.txt').write_text('more by quilt3')
pkg = Package().set_dir('.', str(folder))
pushed = pkg.push(args['name'], registry=args['registry'], force=True)
say(pushed.top_hash)
`;

describeWith(`the S3 server ${S3_KIND}`, S3_BINARY)('with a server', () => {
  const server = withS3Server();
  const suite = describeWith('a Python with quilt3', QUILT3_PYTHON);

  suite('quilt3', () => {
    it('installs what was in packs before', async () => {
      const bucket = await server().makeBucket();
      const storage = await server().open(bucket);
      await fill(storage, 'packs');
      await convertRegistry(testRuntime(), storage, 'objects', undefined);
      const dest = await temporaryFolder();
      const args = { name: 'user/name', registry: `s3://${bucket}`, dest };
      expect(await runQuilt3(INSTALL, args, environment(server().url))).toBe(true);
      expect(Object.keys(await filesBelow(dest))).toEqual(
        [...Object.keys(asFound(FILES)), 'data/c'].sort(),
      );
    });

    it('has its own registries checked, and what is wrong with its objects named', async () => {
      for (const kind of ['unversioned', 'versioned'] as const) {
        const bucket = await server().makeBucket(kind);
        const folder = await temporaryFolder();
        const args = { name: 'their/name', registry: `s3://${bucket}`, folder };
        await runQuilt3(PUSH, args, environment(server().url));
        const storage = await server().open(bucket);
        expect(await findings(storage)).toEqual([]);
        if (kind === 'versioned') continue;
        await storage.remove(['their/name/a.txt']);
        expect(await findings(storage)).toMatchObject([
          { kind: 'missing', key: 'their/name/a.txt' },
        ]);
      }
    });
  });
});

function environment(url: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'testkey',
    AWS_SECRET_ACCESS_KEY: 'testsecret',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
  };
}
