/** Drift: what no longer fits a lockfile, each difference in a sentence. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parameterDrift, sourceDrift, toolchainDrift } from '../../src/lockfile/drift.ts';
import {
  findDrift,
  lockedParameters,
  openPinnedSource,
  resolveLockfile,
  staleError,
} from '../../src/lockfile/resolve.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { openClient, serve } from '../support/http-probe.ts';
import { someLockfile, tablesOf } from '../support/lockfiles.ts';
import { SMALLEST } from '../support/manifests.ts';
import { temporaryFolder } from '../support/temporary.ts';

const TOOLCHAIN = { sharp: '0.35.5', duckdb: '1.5.6', crop: '1' };
const FURTHER = { toolchain: TOOLCHAIN, pins: {} };

describe('parameterDrift', () => {
  it('says nothing of equal parameters, in whatever order', () => {
    expect(parameterDrift({ a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 })).toEqual([]);
  });

  it('names each leaf that changed, came or went, lists as a whole', () => {
    const before = { query: { classes: ['Apple'], where: 'x' }, seed: 1 };
    const after = { query: { classes: ['Apple', 'Orange'] }, seed: 1, crop: { quality: 90 } };
    expect(parameterDrift(before, after)).toEqual([
      'query.classes: was ["Apple"], is ["Apple","Orange"]',
      'query.where: was "x", is not set',
      'crop.quality: was not set, is 90',
    ]);
  });
});

describe('toolchainDrift', () => {
  it('says what a changed part does to the package', () => {
    const current = { ...TOOLCHAIN, sharp: '0.36.0', duckdb: '2.0.0', summarize: '2' };
    expect(toolchainDrift(TOOLCHAIN, current)).toEqual([
      'toolchain sharp: was "0.35.5", is "0.36.0"; every crop may change',
      'toolchain duckdb: was "1.5.6", is "2.0.0"; the query runs again',
      'toolchain summarize: was absent, is "2"; the package will change',
    ]);
    expect(toolchainDrift(TOOLCHAIN, { ...TOOLCHAIN })).toEqual([]);
  });
});

describe('sourceDrift', () => {
  const sources = tablesOf(someLockfile());

  it('names sources by their key, with sizes and the first digits of digests', () => {
    const [boxes = sources.classes] = sources.boxes;
    const other = { ...boxes, digest: digestOf('other'), sizeBytes: 5 };
    expect(sourceDrift(sources, { ...sources, boxes: [other] })).toEqual([
      `source boxes: ${boxes.url} was ${String(boxes.sizeBytes)} bytes ` +
        `(${boxes.digest.slice(0, 12)}), is 5 bytes (${digestOf('other').slice(0, 12)})`,
    ]);
  });

  it('tells moved, new and vanished sources apart, and leaves ETags aside', () => {
    const moved = { ...sources.classes, url: 'https://host/2.csv' };
    const { hierarchy: _, ...rest } = sources;
    expect(sourceDrift(sources, { ...rest, classes: moved })).toEqual([
      'source classes: was https://host/classes.csv, is https://host/2.csv',
      'source hierarchy: https://host/tree.json is gone',
    ]);
    expect(sourceDrift(rest, sources)).toEqual(['source hierarchy: https://host/tree.json is new']);
    const tagged = { ...sources, classes: { ...sources.classes, etag: '"new"' } };
    expect(sourceDrift(sources, tagged)).toEqual([]);
  });
});

describe('a lockfile and its manifest', () => {
  async function setUp(text = SMALLEST) {
    const folder = await temporaryFolder();
    const store = await openStore(join(folder, 'store'), Date.now());
    const { client, runtime } = openClient();
    for (const name of ['classes.csv', 'boxes.csv', 'images.csv']) {
      await writeFile(join(folder, name), `content of ${name}`);
    }
    const source = parseManifest(text, join(folder, 'm.yaml'));
    const context = { runtime, store, client };
    const lockfile = await resolveLockfile(context, source, FURTHER, undefined);
    const drift = (changedText = text, toolchain: Record<string, string> = TOOLCHAIN) =>
      findDrift(runtime, store, parseManifest(changedText, source.file), toolchain, lockfile);
    return { folder, context, source, lockfile, drift };
  }

  it('pins every source by digest and size, and every parameter with its default', async () => {
    const { lockfile, source } = await setUp();
    expect(lockfile).toMatchObject({
      lockfileVersion: 1,
      name: 'user/name',
      manifest: digestOf(SMALLEST),
      toolchain: TOOLCHAIN,
      sources: {
        classes: { url: 'classes.csv', digest: digestOf('content of classes.csv'), sizeBytes: 22 },
      },
    });
    expect(lockfile.parameters).toMatchObject({
      query: { classes: ['Apple'], descendants: false },
      fetch: { maxBytes: 50_000_000, changed: 'keep', from: ['original'] },
      crop: { quality: 92 },
      split: { validation: 0.2, test: 0 },
      seed: 0,
    });
    expect(lockedParameters(source.manifest)).toEqual(lockfile.parameters);
    expect(JSON.stringify(lockfile.parameters)).not.toContain('requestsPerSecond');
  });

  it('fit each other until something changes that changes a byte', async () => {
    const { drift } = await setUp();
    expect(await drift()).toEqual([]);
    expect(
      await drift(`# a comment\n${SMALLEST}  fetch: { retries: 0, concurrency: 1 }\n`),
    ).toEqual([]);
    expect(await drift(SMALLEST.replace('[Apple]', '[Orange]'))).toEqual([
      'query.classes: was ["Apple"], is ["Orange"]',
    ]);
    expect(await drift(SMALLEST, { ...TOOLCHAIN, sharp: '9' })).toEqual([
      'toolchain sharp: was "0.35.5", is "9"; every crop may change',
    ]);
  });

  it('drift apart when a local table changes or goes', async () => {
    const { folder, drift } = await setUp();
    await writeFile(join(folder, 'boxes.csv'), 'other');
    expect(await drift()).toEqual([
      expect.stringMatching(
        /^source boxes: boxes\.csv was 20 bytes \(.{12}\), is 5 bytes \(.{12}\)$/,
      ),
    ]);
    await rm(join(folder, 'boxes.csv'));
    expect(await drift()).toEqual(['source boxes: boxes.csv is gone']);
  });

  it('are told apart in one sentence of an error', () => {
    const error = staleError(['a: was 1, is 2', 'source boxes: x is gone']);
    expect([error.code, error.exitCode]).toEqual(['lockfile', 11]);
    expect(error.message).toBe('the lockfile is stale: a: was 1, is 2; source boxes: x is gone');
    expect(error.hint).toContain('--update');
  });

  it('get unchanged remote sources by their ETag, changed ones anew', async () => {
    let version = 1;
    const server = await serve((request, response) => {
      const etag = `"v${String(version)}"`;
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.writeHead(200, { etag }).end(`table ${String(version)}`);
    });
    const text = SMALLEST.replace(/(\w+)\.csv/g, `${server.url}/$1.csv`);
    const { context, source, lockfile } = await setUp(text);
    expect(tablesOf(lockfile).boxes).toMatchObject([{ etag: '"v1"', digest: digestOf('table 1') }]);
    expect(await resolveLockfile(context, source, FURTHER, lockfile)).toEqual(lockfile);
    expect(server.requests.slice(3).every(({ headers }) => headers['if-none-match'])).toBe(true);
    version = 2;
    const renewed = await resolveLockfile(context, source, FURTHER, lockfile);
    expect(tablesOf(renewed).classes.digest).toBe(digestOf('table 2'));
    expect(sourceDrift(lockfile.sources, renewed.sources)).toHaveLength(3);
  });

  it('refuse a remote source that no longer holds the pinned bytes', async () => {
    let content = 'first';
    const server = await serve((_, response) => response.end(content));
    const text = SMALLEST.replace(/(\w+)\.csv/g, `${server.url}/$1.csv`);
    const { context, folder, lockfile } = await setUp(text);
    const pinned = tablesOf(lockfile).classes;
    expect(await openPinnedSource(context, folder, pinned)).toMatchObject({
      digest: digestOf('first'),
      path: context.store.path(pinned.digest),
    });
    const asked = server.requests.length;
    content = 'second';
    await openPinnedSource(context, folder, pinned);
    expect(server.requests).toHaveLength(asked);
    await rm(context.store.path(pinned.digest));
    await expect(openPinnedSource(context, folder, pinned)).rejects.toMatchObject({
      code: 'lockfile',
      message: expect.stringContaining('the lockfile is stale: source') as string,
    });
  });

  it('have no tables where a data set is built upon', async () => {
    const { context, folder } = await setUp();
    const text = 'version: 1\nname: a/b\ndata: { package: c/d@0 }\n';
    const source = parseManifest(text, join(folder, 'p.yaml'));
    const lockfile = await resolveLockfile(context, source, FURTHER, undefined);
    expect(lockfile.sources).toBeUndefined();
    expect(lockfile.parameters).toEqual({ package: 'c/d@0', seed: 0 });
  });
});
