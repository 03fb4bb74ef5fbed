/** What `pkg impact` finds in a registry, whatever kind of storage it is. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyRegistry } from '../../src/inspection/verify-registry.ts';
import { findImpact } from '../../src/lineage/find-impact.ts';
import type { Impact } from '../../src/lineage/impact.ts';
import { writeLineage } from '../../src/lineage/registry-lineage.ts';
import { reindexLineage } from '../../src/lineage/reindex.ts';
import { LINEAGE_PREFIX, lineageKey } from '../../src/objects/layout.ts';
import type { TopHash } from '../../src/package/package.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { repairRegistry } from '../../src/repair/repair.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { ALWAYS, type Storage } from '../../src/storage/storage.ts';
import { uploadOf } from '../../src/storage/whole-content.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { removeRevision } from '../../src/sweep/removal.ts';
import { sweepRegistry } from '../../src/sweep/sweep.ts';
import { testRuntime } from '../support/runtime.ts';
import type { SamplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { CountedStorage } from './counted-storage.ts';
import { BY_2, photoPackage, type SamplePhoto } from './sample-lineages.ts';

export type Fresh = () => Promise<Storage>;

let second = 1_700_000_000;

/** Pushes as the command line does; without a lineage as others do. */
export async function push(
  registry: Storage,
  name: string,
  sample: SamplePackage,
  lineage: 'written' | 'left out' = 'written',
): Promise<TopHash> {
  const system = testRuntime();
  const now = second++ * 1000;
  const runtime = { ...system, clock: { ...system.clock, now: () => now } };
  const { pkg, open } = sample;
  const { topHash } = await pushPackage(runtime, registry, pkg, {
    ...{ name, open, tag: undefined },
    attest: async (hash) => {
      if (lineage === 'written') await writeLineage(registry, hash, pkg, open);
    },
  });
  return topHash;
}

export async function ask(
  registry: Storage,
  query: string,
  cache?: Store,
  maxNames = Number.POSITIVE_INFINITY,
): Promise<Impact> {
  return await findImpact({ runtime: testRuntime(), registry, cache }, query, { maxNames });
}

async function errorOf(work: Promise<unknown>): Promise<PkgError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function findingsOf(registry: Storage) {
  const findings: { kind: string; key: string }[] = [];
  for await (const { kind, key } of verifyRegistry(testRuntime(), registry)) {
    findings.push({ kind, key });
  }
  return findings;
}

async function lineageKeys(registry: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of registry.list(LINEAGE_PREFIX)) keys.push(key);
  return keys;
}

const ANNA: SamplePhoto = { id: '000a', author: 'Anna', crops: ['Apple train', 'Apple test'] };
const BEN: SamplePhoto = {
  ...{ id: '000b', author: 'Ben', licence: 'https://creativecommons.org/licenses/by-sa/2.0/' },
  crops: ['Orange validation'],
};
const GONE: SamplePhoto = { id: '000c', author: 'ANNA', status: 'gone' };

/** Runs the contract; `fresh` gives an empty registry. */
export function describeImpact(fresh: Fresh): void {
  describe('pkg impact', () => {
    it('finds an ImageID with its crops by split in every package and revision', async () => {
      const registry = await fresh();
      const one = await push(registry, 'a/one', photoPackage([ANNA, BEN]));
      const two = await push(registry, 'a/one', photoPackage([ANNA, GONE]));
      await push(registry, 'a/two', photoPackage([BEN]));
      const impact = await ask(registry, '000A');
      expect(impact).toMatchObject({
        matched: { kinds: ['image'], licences: [] },
        photos: 1,
        looked: { revisions: 3, byTables: 0 },
        unknown: [],
        models: [],
      });
      expect(
        impact.revisions.map(({ name, topHash, isNewest, by }) => [name, topHash, isNewest, by]),
      ).toEqual([
        ['a/one', two, true, 'lineage'],
        ['a/one', one, false, 'lineage'],
      ]);
      expect(impact.revisions[0]).toMatchObject({
        ...{ photos: 1, imageIds: ['000a'] },
        crops: { train: 1, validation: 0, test: 1, none: 0 },
        cropKeys: [
          'images_cropped/Apple/000a_000000000000.jpg',
          'images_cropped/Apple/000a_000000000001.jpg',
        ],
      });
    });

    it('finds authors whatever their case, licences by address, part and SPDX name, and addresses', async () => {
      const registry = await fresh();
      await push(registry, 'a/one', photoPackage([ANNA, BEN, GONE]));
      const photos = async (query: string) => {
        const { revisions, matched } = await ask(registry, query);
        return [matched.kinds.join(), revisions[0]?.imageIds.join()];
      };
      expect(await photos('anna')).toEqual(['author', '000a,000c']);
      expect(await photos('by/2.0')).toEqual(['licence', '000a,000c']);
      expect(await photos('CC-BY-2.0')).toEqual(['licence', '000a,000c']);
      expect((await errorOf(ask(registry, 'CC0-1.0'))).exitCode).toBe(12);
      expect(await photos('cc-by-sa-2.0')).toEqual(['licence', '000b']);
      expect(await photos(BY_2.replace('https', 'http').slice(0, -1))).toEqual([
        'licence',
        '000a,000c',
      ]);
      expect(await photos('https://photos.example/000b_o.jpg')).toEqual(['url', '000b']);
      expect(await photos('http://PHOTOS.example/view/000b')).toEqual(['url', '000b']);
      expect((await errorOf(ask(registry, 'by'))).exitCode).toBe(12);
      expect((await errorOf(ask(registry, 'https://photos.example/000B_o.jpg'))).exitCode).toBe(12);
    });

    it('says with exit code 12 that nothing is called so, and what comes near', async () => {
      const registry = await fresh();
      await push(registry, 'a/one', photoPackage([{ id: '000a', author: 'Annabel Lee' }]));
      const error = await errorOf(ask(registry, 'Anabel Lee'));
      expect(error).toMatchObject({ code: 'not-found', hint: 'did you mean "Annabel Lee"?' });
      expect((await errorOf(ask(registry, ' '))).code).toBe('usage');
    });

    it('tells models that were trained on a photo from those that were only judged by it', async () => {
      const registry = await fresh();
      const trained = await push(registry, 'm/both', photoPackage([ANNA, BEN], { model: true }));
      expect((await ask(registry, 'Anna')).models).toEqual([
        {
          ...{ name: 'm/both', topHash: trained, isNewest: true, use: 'trained', via: [] },
          crops: { train: 1, validation: 0, test: 1, none: 0 },
        },
      ]);
      expect((await ask(registry, 'Ben')).models).toMatchObject([
        { use: 'judged', crops: { train: 0, validation: 1 } },
      ]);
    });

    it('follows models based on models, however many, and stops where a photo was left out', async () => {
      const registry = await fresh();
      const data = await push(registry, 'a/data', photoPackage([ANNA, BEN]));
      const base = (use: 'data' | 'model', name: string, topHash: string) => ({
        model: true,
        bases: [{ use, name, topHash }],
      });
      const first = await push(
        registry,
        'm/first',
        photoPackage([ANNA], base('data', 'a/data', data)),
      );
      const tuned = await push(
        registry,
        'm/tuned',
        photoPackage([BEN], base('model', 'm/first', first)),
      );
      const again = await push(
        registry,
        'm/again',
        photoPackage([], base('model', 'm/tuned', tuned)),
      );
      const bare = await push(
        registry,
        'm/bare',
        photoPackage(undefined, base('data', 'a/data', data)),
      );
      const { models } = await ask(registry, '000a');
      expect(models.map(({ name, use, via }) => [name, use, via])).toEqual([
        ['m/again', 'based', [`m/first@${first}`, `m/tuned@${tuned}`]],
        ['m/bare', 'based', [`a/data@${data}`]],
        ['m/first', 'trained', []],
        ['m/tuned', 'based', [`m/first@${first}`]],
      ]);
      expect(models.map(({ topHash }) => topHash)).toEqual([again, bare, first, tuned]);
      // Ben's photo only judged m/tuned, so nothing learnt of it but what holds a/data as it is.
      expect((await ask(registry, '000b')).models.map(({ name, use }) => [name, use])).toEqual([
        ['m/bare', 'based'],
        ['m/tuned', 'judged'],
      ]);
    });

    it('says where a base is in no lineage of the registry', async () => {
      const registry = await fresh();
      const bases = [{ use: 'model' as const, name: 'x/far', topHash: 'f'.repeat(64) }];
      await push(registry, 'm/tuned', photoPackage([ANNA], { model: true, bases }));
      expect((await ask(registry, '000a')).notes).toEqual([
        'm/tuned is based on x/far@ffffffffffff, which is not here; what that holds is not known',
      ]);
    });

    it('reads the tables of revisions without a lineage, and says so', async () => {
      const registry = await fresh();
      await push(registry, 'a/one', photoPackage([ANNA]));
      await push(registry, 'a/two', photoPackage([ANNA, BEN]), 'left out');
      const impact = await ask(registry, '000a');
      expect(impact.looked).toEqual({ revisions: 2, byTables: 1 });
      expect(impact.revisions.map(({ name, by }) => [name, by])).toEqual([
        ['a/one', 'lineage'],
        ['a/two', 'tables'],
      ]);
      expect(await findingsOf(registry)).toEqual([]);
    });

    it('writes missing lineages, puts many into one, and answers as before', async () => {
      const registry = await fresh();
      for (let index = 0; index < 9; index++) {
        const own = { id: `1${String(index)}`, author: 'Someone' };
        const sample = photoPackage([ANNA, own], { model: index === 3 });
        await push(
          registry,
          `a/p${String(index)}`,
          sample,
          index % 2 === 0 ? 'written' : 'left out',
        );
      }
      const before = await ask(registry, 'someone');
      const context = { runtime: testRuntime(), registry, cache: undefined };
      expect(await reindexLineage(context)).toMatchObject({ written: 4, merged: 9, unknown: [] });
      expect(await lineageKeys(registry)).toHaveLength(1);
      const after = await ask(registry, 'someone');
      const plain = (impact: Impact) => ({
        ...impact,
        looked: undefined,
        revisions: impact.revisions.map((revision) => ({ ...revision, by: undefined })),
      });
      expect(plain(after)).toEqual(plain(before));
      expect(after.looked).toEqual({ revisions: 9, byTables: 0 });
      expect(await findingsOf(registry)).toEqual([]);
      expect(await reindexLineage(context)).toMatchObject({ written: 0, merged: 0 });
    });

    it('remembers pointers and tables that it has read, and sees what is pushed since', async () => {
      const registry = await fresh();
      const cache = await openStore(await temporaryFolder(), Date.now());
      await push(registry, 'a/one', photoPackage([ANNA]));
      await push(registry, 'a/two', photoPackage([ANNA, BEN]), 'left out');
      const cost = async () => {
        const { requests } = registry;
        const { revisions } = await ask(registry, '000a', cache);
        return { requests: registry.requests - requests, found: revisions.length };
      };
      const first = await cost();
      const second = await cost();
      expect([first.found, second.found]).toEqual([2, 2]);
      // Two listings, and the lineage that is there.
      expect(second.requests).toBeLessThanOrEqual(3);
      const three = await push(registry, 'a/three', photoPackage([ANNA, GONE]));
      expect((await cost()).found).toBe(3);
      const reference = parseReference(`a/three@${three}`);
      const options = { force: false, mode: 'remove' as const };
      await removeRevision(testRuntime(), registry, reference, options);
      expect((await cost()).found).toBe(2);
      await writeFile(join(cache.root, 'v1/index', (await pointerFiles(cache))[0] ?? ''), '{"a');
      expect((await cost()).found).toBe(2);
    });

    it('looks again where lineages are put into one while it reads them', async () => {
      const registry = await fresh();
      for (let index = 0; index < 9; index++) {
        const own = { id: `4${String(index)}`, author: 'Someone' };
        await push(registry, `a/p${String(index)}`, photoPackage([own]));
      }
      const context = { runtime: testRuntime(), registry, cache: undefined };
      let isMerged = false;
      const disturbed = new CountedStorage(registry, async (key) => {
        if (isMerged || !key.startsWith(LINEAGE_PREFIX)) return;
        isMerged = true;
        await reindexLineage(context);
      });
      const impact = await ask(disturbed, 'someone');
      expect(impact).toMatchObject({ photos: 9, looked: { revisions: 9, byTables: 0 } });
    });

    it('names a damaged lineage, does not trust it, and makes it again', async () => {
      const registry = await fresh();
      const hash = await push(registry, 'a/one', photoPackage([ANNA]));
      const key = lineageKey(hash);
      const whole = await contentOf(registry, key);
      for (const bad of [
        whole.subarray(0, whole.length - 1),
        Buffer.concat([whole, Buffer.from('x')]),
        Buffer.from('no lineage'),
        Buffer.alloc(0),
        Buffer.concat([Buffer.from('PKGLINE2'), whole.subarray(8)]),
        await contentOf(registry, key).then((data) => {
          data.fill(0xff, 8, 28);
          return data;
        }),
      ]) {
        await registry.write(key, await uploadOf(bad), ALWAYS);
        const impact = await ask(registry, '000a');
        expect(impact.notes).toEqual([expect.stringContaining(key)]);
        expect(impact.revisions).toMatchObject([{ name: 'a/one', by: 'tables' }]);
        const [finding] = await findingsOf(registry);
        expect(finding).toMatchObject({ key });
      }
      const context = { runtime: testRuntime(), registry, cache: undefined };
      expect(await reindexLineage(context)).toMatchObject({ written: 1 });
      expect((await contentOf(registry, key)).equals(whole)).toBe(true);
      expect(await findingsOf(registry)).toEqual([]);
    });

    it('does not take the lineage of one revision for that of another', async () => {
      const registry = await fresh();
      const anna = await push(registry, 'a/one', photoPackage([ANNA]));
      const ben = await push(registry, 'a/two', photoPackage([BEN]));
      const data = await contentOf(registry, lineageKey(ben));
      await registry.write(lineageKey(anna), await uploadOf(data), ALWAYS);
      expect((await ask(registry, '000a')).revisions).toMatchObject([{ by: 'tables' }]);
    });

    it('finds a well-formed lie only by the check of the registry', async () => {
      const registry = await fresh();
      const hash = await push(registry, 'a/one', photoPackage([ANNA, BEN]));
      const lie = photoPackage([ANNA]);
      await writeLineage(registry, hash, lie.pkg, lie.open);
      expect((await errorOf(ask(registry, '000b'))).code).toBe('not-found');
      const findings = [];
      for await (const found of verifyRegistry(testRuntime(), registry)) findings.push(found);
      expect(findings).toMatchObject([
        { kind: 'truncated', key: lineageKey(hash), packages: [`a/one@${hash}`] },
      ]);
    });

    it('is made again by a repair, from the tables of its revision', async () => {
      const registry = await fresh();
      const hash = await push(registry, 'a/one', photoPackage([ANNA, BEN]));
      const key = lineageKey(hash);
      const whole = await contentOf(registry, key);
      const lie = photoPackage([ANNA]);
      await writeLineage(registry, hash, lie.pkg, lie.open);
      const options = { from: [], store: undefined, folders: [], mode: 'write' as const };
      expect(await repairRegistry(testRuntime(), registry, options)).toEqual({
        ...{ restored: [key], left: [] },
      });
      expect((await contentOf(registry, key)).equals(whole)).toBe(true);
    });

    it('answers what it cannot know with the revision and the reason', async () => {
      const registry = await fresh();
      const hash = await push(registry, 'a/one', photoPackage([ANNA]), 'left out');
      await registry.remove([`.quilt/packages/${hash}`]);
      const impact = await ask(registry, '000a');
      expect(impact.revisions).toEqual([]);
      expect(impact.unknown).toEqual([expect.stringContaining(hash)]);
    });

    it('pushes a table that is none of ours, and says that it was not looked into', async () => {
      const registry = await fresh();
      const files = { 'metadata/images.csv': 'a,b\n"1', 'metadata/crops.csv': 'x' };
      await push(registry, 'a/other', photoPackage(undefined, { more: files }));
      await push(registry, 'a/one', photoPackage([ANNA]));
      expect((await ask(registry, '000a')).notes).toEqual([
        expect.stringContaining('metadata/crops.csv and metadata/images.csv of a/other@'),
      ]);
    });

    it('goes with the revision that a sweep removes, out of merged ones too', async () => {
      const registry = await fresh();
      const hashes: TopHash[] = [];
      for (let index = 0; index < 9; index++) {
        const sample = photoPackage([{ id: `2${String(index)}`, author: 'Someone' }]);
        hashes.push(await push(registry, `a/p${String(index)}`, sample));
      }
      const context = { runtime: testRuntime(), registry, cache: undefined };
      await reindexLineage(context);
      const single = await push(
        registry,
        'a/single',
        photoPackage([{ id: '30', author: 'Someone' }]),
      );
      const remove = async (name: string, hash: string) => {
        const reference = parseReference(`${name}@${hash}`);
        const options = { force: false, mode: 'remove' as const };
        await removeRevision(testRuntime(), registry, reference, options);
      };
      await remove('a/p4', hashes[4] ?? '');
      await remove('a/single', single);
      const sweep = (mode: 'count' | 'remove') =>
        sweepRegistry(testRuntime(), registry, { mode, graceMs: -60_000 });
      expect((await sweep('count')).removed.lineages.count).toBe(2);
      expect((await sweep('remove')).removed.lineages.count).toBe(2);
      expect((await ask(registry, 'someone')).revisions).toHaveLength(8);
      expect(await errorOf(ask(registry, '24'))).toMatchObject({ code: 'not-found' });
      expect(await findingsOf(registry)).toEqual([]);
      const [key = ''] = await lineageKeys(registry);
      expect((await contentOf(registry, key)).includes(hashes[4] ?? '?')).toBe(false);
    });
  });
}

async function pointerFiles(cache: Store): Promise<string[]> {
  const names = await readdir(await cache.scratchFolder('index'));
  return names.filter((name) => name.startsWith('pointers-'));
}

async function contentOf(registry: Storage, key: string): Promise<Buffer> {
  const found = await registry.read({ key });
  if (found === undefined) throw new Error(`${key} is not there`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
