/** The same manifest gives the same top hash, whatever the machine, the network and the weather. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runJson } from '../support/cli.ts';
import { allOidClasses, chooseOidClasses, writeOidManifest } from '../support/oid.ts';
import { startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface BuildDocument {
  readonly topHash: string;
  readonly images: { readonly selected: number };
  readonly steps: readonly {
    readonly name: string;
    readonly key: string;
    readonly cached: boolean;
  }[];
}

type ImageServer = Awaited<ReturnType<typeof startImageServer>>;

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('a build of served photos', () => {
  let server: ImageServer;
  let work: string;
  let reference: BuildDocument;
  const classes = [...chooseOidClasses().values()];

  const build = async (folder: string, extra: readonly string[] = [], options = {}) => {
    const place = join(work, folder);
    await mkdir(place, { recursive: true });
    const manifest = await writeOidManifest(place, { baseUrl: server.url, classes });
    const store = ['--store', join(place, 'store')];
    return await runJson<BuildDocument>(['build', manifest, ...store, ...extra], options);
  };

  beforeAll(async () => {
    server = await startImageServer();
    work = await temporaryFolder();
    reference = await build('reference');
  });
  afterAll(() => server.stop());

  it.each([1, 8])('has the same top hash with %i workers', async (workers) => {
    const built = await build(`workers-${String(workers)}`, ['--concurrency', String(workers)]);
    expect(built.topHash).toBe(reference.topHash);
  });

  it('has the same top hash under another locale and time zone', async () => {
    const env = { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' };
    const built = await build('locale', [], { env, cwd: work });
    expect(built.topHash).toBe(reference.topHash);
  });

  it('has the same top hash, and the same step keys, in a warm store and a moved folder', async () => {
    await cp(join(work, 'reference'), join(work, 'moved'), { recursive: true });
    const built = await build('moved');
    expect(built.topHash).toBe(reference.topHash);
    expect(built.steps.map(({ key }) => key)).toEqual(reference.steps.map(({ key }) => key));
    expect(built.steps.every(({ cached }) => cached)).toBe(true);
  });

  const nodes = (process.env['PKG_NODE_BINARIES'] ?? '').split(':').filter((path) => path !== '');
  it.runIf(nodes.length > 0)(
    'has the same top hash on the oldest and the newest Node',
    async () => {
      for (const [index, node] of [...nodes.slice(0, 1), ...nodes.slice(-1)].entries()) {
        const built = await build(`node-${String(index)}`, [], { node });
        expect(built.topHash, node).toBe(reference.topHash);
      }
    },
  );

  it('does no step again and asks for nothing when nothing changed', async () => {
    const before = await server.stats();
    const built = await build('reference');
    expect(built.topHash).toBe(reference.topHash);
    expect(built.steps.every(({ cached }) => cached)).toBe(true);
    expect((await server.stats()).requests).toBe(before.requests + 1);
  });

  it('fetches only the new photos when the query changes', async () => {
    const place = join(work, 'growing');
    await mkdir(place, { recursive: true });
    const store = ['--store', join(place, 'store')];
    const options = { baseUrl: server.url, classes: classes.slice(0, 1) };
    const first = await runJson<BuildDocument>([
      'build',
      await writeOidManifest(place, options),
      ...store,
    ]);
    const before = await server.stats();
    const manifest = await writeOidManifest(place, { ...options, classes });
    const second = await runJson<BuildDocument>(['build', manifest, ...store, '--update']);
    expect(second.topHash).toBe(reference.topHash);
    const asked = (await server.stats()).image_requests - before.image_requests;
    expect(asked).toBe(second.images.selected - first.images.selected);
  });

  it('has the same top hash from a hostile server, and never asks it too early', async () => {
    const { port } = server;
    await server.stop();
    server = await startImageServer({
      port,
      args: ['--profile', 'hostile', '--seed', '7', '--stall-s', '1'],
    });
    const built = await build('hostile');
    expect(built.topHash).toBe(reference.topHash);
    const stats = await server.stats();
    expect(stats.early_retries).toBe(0);
    expect(stats.rate_limited).toBeGreaterThan(0);
    expect(Object.keys(stats.faults).length).toBeGreaterThan(3);
  });

  it('has the same top hash from a host that dates its Retry-After and checks nothing', async () => {
    const { port } = server;
    await server.stop();
    const args = [
      '--rate',
      '80',
      '--burst',
      '10',
      '--retry-after-date',
      '--no-etag',
      '--flip-rate',
      '0.05',
    ];
    server = await startImageServer({
      port,
      args: [...args, '--error-rate', '0.1', '--seed', '3'],
    });
    const built = await build('dated');
    expect(built.topHash).toBe(reference.topHash);
    expect((await server.stats()).early_retries).toBe(0);
  });

  it('takes every class of the answers without losing an image', async () => {
    const { port } = server;
    await server.stop();
    server = await startImageServer({ port });
    const place = join(work, 'all');
    await mkdir(place, { recursive: true });
    const manifest = await writeOidManifest(place, {
      baseUrl: server.url,
      classes: allOidClasses().values(),
    });
    const store = ['--store', join(place, 'store')];
    const one = await runJson<BuildDocument>(['build', manifest, ...store]);
    await rm(join(place, 'store'), { recursive: true });
    const again = await runJson<BuildDocument>(['build', manifest, ...store]);
    expect(again.topHash).toBe(one.topHash);
  });
});
