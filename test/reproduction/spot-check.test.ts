/** The spot check of a packaged training: an honest one is proved, each kind of forgery is found. */
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isLinked } from '../../src/classifier/fit.ts';
import type { OpenedPackage } from '../../src/installation/opened-package.ts';
import type { Take } from '../../src/objects/objects.ts';
import type { Entry } from '../../src/package/entry.ts';
import { describeContent } from '../../src/package/object-hash.ts';
import { fileEntry, packageOf } from '../../src/package/package.ts';
import { findBuilt, openBuilt } from '../../src/pipeline/built.ts';
import { spotCheck } from '../../src/reproduction/spot-check.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { digestOf, streamOf } from '../../src/store/digest.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { runJson } from '../support/cli.ts';
import { copySample, SAMPLE_NAME, TINY_MODEL, withModel } from '../support/sample-models.ts';

interface Replay {
  result: { epoch: number; iteration: number };
  links: { iteration: number; state: string; link: string }[];
  snapshots: { iteration: number; logicalKey: string; sha256: string }[];
}

const ALL = 10_000;

const runtime = createRuntime({ concurrency: 2 });

/** Links that follow each other, whatever their states. */
function chained(links: Replay['links']): Replay['links'] {
  let before = '';
  return links.map(({ iteration, state }) => {
    before = digestOf([before, String(iteration), state].join('\n'));
    return { iteration, state, link: before };
  });
}

describe('the spot check of a training', () => {
  let store: Store;
  let honest: OpenedPackage;
  let replay: Replay;

  /** The same package with other bytes under some keys, hashes and all. */
  const forge = async (files: Readonly<Record<string, Uint8Array | string>>) => {
    const bytes = new Map(Object.entries(files).map(([key, data]) => [key, Buffer.from(data)]));
    const entries: Entry[] = [];
    for (const entry of honest.pkg.entries) {
      const data = bytes.get(entry.logicalKey);
      if (data === undefined) entries.push(entry);
      else {
        const content = await describeContent(streamOf(data), data.length);
        entries.push(fileEntry(entry.logicalKey, '/nowhere', content));
      }
    }
    const read = async (entry: Entry) => bytes.get(entry.logicalKey) ?? (await honest.read(entry));
    return {
      ...honest,
      pkg: packageOf(honest.pkg.header, entries),
      read,
      readMany: async (wanted: Iterable<Entry>, take: Take) => {
        for (const entry of wanted) await take(entry, await read(entry));
      },
    };
  };

  const forgeReplay = async (change: (replay: Replay) => Replay) =>
    await forge({ 'models/replay.json': JSON.stringify(change(structuredClone(replay))) });

  const check = async (opened: OpenedPackage, count = ALL) =>
    await spotCheck(runtime, store, opened, count);

  beforeAll(async () => {
    const manifest = await copySample((text) => withModel(text, TINY_MODEL));
    const root = join(dirname(manifest), 'store');
    await runJson(['build', manifest, '--store', root]);
    store = await openStore(root, Date.now());
    const { name, topHash, pkg } = await findBuilt(store, SAMPLE_NAME);
    honest = { ...openBuilt(store, { name, topHash, pkg }), where: 'the store' };
    const entry = [...pkg.entries].find(({ logicalKey }) => logicalKey === 'models/replay.json');
    if (entry === undefined) throw new Error('no chain');
    replay = JSON.parse((await honest.read(entry)).toString('utf8')) as Replay;
  });

  it('proves an honest package, weights included', async () => {
    const result = await check(honest);
    expect(result).toMatchObject({ proved: true, weights: 'same', findings: [] });
    expect(result.checked).toHaveLength(replay.links.length);
  });

  it('does as many segments as it is asked for', async () => {
    const result = await check(honest, 2);
    expect(result.checked).toHaveLength(2);
    expect(result.proved).toBe(true);
  });

  it('finds snapshots, of which there are some that take less than 5 % of the package', () => {
    const size = (keep: (key: string) => boolean) =>
      [...honest.pkg.entries]
        .filter(({ logicalKey }) => keep(logicalKey))
        .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(replay.snapshots.length).toBeGreaterThan(0);
    expect(size((key) => key.startsWith('models/replay/'))).toBeLessThan(0.05 * size(() => true));
  });

  it('finds one forged step whose chain was made to fit', async () => {
    const forged = await forgeReplay((old) => {
      const links = old.links.map((link, index) =>
        index === 3 ? { ...link, state: digestOf('forged') } : link,
      );
      const at = links[3]?.iteration;
      const snapshots = old.snapshots.filter(({ iteration }) => iteration !== at);
      return { ...old, links: chained(links), snapshots };
    });
    const result = await check(forged);
    expect(result.proved).toBe(false);
    expect(result.findings).toEqual([
      `the state after iteration ${String(replay.links[3]?.iteration)} is another than the package says`,
    ]);
  });

  it('finds a forged state without doing anything again where the chain was left as it is', async () => {
    const forged = await forgeReplay((old) => ({
      ...old,
      links: old.links.map((link, index) =>
        index === 1 ? { ...link, state: digestOf('forged') } : link,
      ),
      snapshots: [],
    }));
    const result = await check(forged, 1);
    expect(result).toMatchObject({ proved: false, checked: [] });
    expect(result.findings[0]).toContain('does not follow the one before');
  });

  it.each<[string, (old: Replay) => Replay]>([
    [
      'a link that was left out',
      (old) => ({ ...old, links: chained(old.links.toSpliced(2, 1)), snapshots: [] }),
    ],
    [
      'a training that breaks off inside an epoch',
      (old) => ({ ...old, links: old.links.slice(0, -1), snapshots: [] }),
    ],
    ['a result that is no epoch', (old) => ({ ...old, result: { epoch: 1, iteration: 3 } })],
    [
      'an endless training',
      (old) => ({
        ...old,
        links: [...old.links, { iteration: 2 ** 50, state: digestOf(''), link: digestOf('') }],
      }),
    ],
    [
      'a snapshot of another state',
      (old) => ({
        ...old,
        snapshots: old.snapshots.map((one) => ({ ...one, sha256: digestOf('x') })),
      }),
    ],
  ])('finds %s', async (_, change) => {
    const result = await check(await forgeReplay(change));
    expect(result.proved).toBe(false);
    expect(result.findings).toHaveLength(1);
    expect(result.checked).toEqual([]);
  });

  it('finds weights of which one bit was changed', async () => {
    const entry = [...honest.pkg.entries].find(
      ({ logicalKey }) => logicalKey === 'models/weights.bin',
    );
    if (entry === undefined) throw new Error('no weights');
    const bytes = Buffer.from(await honest.read(entry));
    bytes[8] = (bytes[8] ?? 0) ^ 1;
    const result = await check(await forge({ 'models/weights.bin': bytes }));
    expect(result).toMatchObject({ proved: false, weights: 'differ' });
  });

  it('refuses a snapshot whose bytes are not its digest’s, and a chain that is none', async () => {
    const key = replay.snapshots[0]?.logicalKey ?? '';
    const broken = await forge({ [key]: 'not a state' });
    await expect(check(broken)).rejects.toMatchObject({ code: 'integrity' });
    const none = await forge({ 'models/replay.json': '{"version":1}' });
    await expect(check(none)).rejects.toMatchObject({ code: 'integrity' });
  });

  it('knows which iterations have links', () => {
    expect([1, 13, 26, 32, 39].filter((iteration) => isLinked(iteration, 13))).toEqual([
      13, 26, 32, 39,
    ]);
  });
});
