/** What a lookup in a registry of a hundred packages costs, in requests and bytes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { reindexLineage } from '../../src/lineage/reindex.ts';
import { LINEAGE_PREFIX } from '../../src/objects/layout.ts';
import { eachLimit } from '../../src/runtime/concurrency.ts';
import { testRuntime } from '../support/runtime.ts';
import { CountedStorage } from './counted-storage.ts';
import { ask, type Fresh, push } from './impact-contract.ts';
import { photoPackage, type SamplePhoto } from './sample-lineages.ts';

const PACKAGES = 100;
const PHOTOS = 120;

/** Every tenth package has a photo of Rosa's in its training split; the last one does by its base. */
function photosOf(number: number): readonly SamplePhoto[] {
  const rosa = { id: 'beefbeefbeefbeef', author: 'Rosa', crops: ['Apple train', 'Pear test'] };
  const others = Array.from({ length: PHOTOS }, (_, index) => ({
    id: (number * PHOTOS + index).toString(16).padStart(16, '0'),
    author: `Author ${String((number * 7 + index) % 1000)}`,
    crops: ['Apple train', 'Pear validation'],
  }));
  return number % 10 === 0 ? [...others, rosa] : others;
}

export function describeManyPackages(fresh: Fresh): void {
  describe('pkg impact in a registry of a hundred packages', () => {
    let storage: CountedStorage;

    /** One question: the answer, with what it cost. */
    const measured = async (query: string) => {
      const { requests, readBytes } = storage;
      const impact = await ask(storage, query, undefined, 3);
      const cost = { requests: storage.requests - requests, bytes: storage.readBytes - readBytes };
      return { impact, ...cost };
    };

    beforeAll(async () => {
      storage = new CountedStorage(await fresh());
      let last = '';
      await eachLimit(
        Array.from({ length: PACKAGES - 1 }, (_, number) => number),
        4,
        async (number) => {
          const sample = photoPackage(photosOf(number), { model: true });
          if (number === 50) last = sample.topHash;
          await push(storage, `many/p${String(number)}`, sample);
        },
      );
      const bases = [{ use: 'model' as const, name: 'many/p50', topHash: last }];
      const sample = photoPackage(photosOf(PACKAGES - 1), { model: true, bases });
      await push(storage, `many/p${String(PACKAGES - 1)}`, sample);
    });

    it('reads a few KB of each lineage, and no list or table', async () => {
      const { impact, requests, bytes } = await measured('beefbeefbeefbeef');
      expect(impact.revisions).toHaveLength(10);
      expect(impact.models.filter(({ use }) => use === 'trained')).toHaveLength(10);
      expect(impact.models.filter(({ use }) => use === 'based')).toMatchObject([
        { name: 'many/p99' },
      ]);
      expect(impact.looked).toEqual({ revisions: PACKAGES, byTables: 0 });
      // A pointer, a head and a bucket each; the photo itself where there is a hit; listings.
      expect(requests).toBeLessThan(3 * PACKAGES + 10 * 2 + 10);
      expect(bytes).toBeLessThan(PACKAGES * 10 * 1024);
    });

    it('costs as much for an author, and says who has nothing', async () => {
      const { impact, requests } = await measured('rosa');
      expect(impact).toMatchObject({ photos: 1, matched: { kinds: ['author'] } });
      expect(requests).toBeLessThan(3 * PACKAGES + 10 * 2 + 10);
    });

    it('reads one lineage instead of all once they are put into one', async () => {
      const before = await measured('beefbeefbeefbeef');
      await reindexLineage({ runtime: testRuntime(), registry: storage, cache: undefined });
      const keys: string[] = [];
      for await (const { key } of storage.list(LINEAGE_PREFIX)) keys.push(key);
      expect(keys).toHaveLength(1);
      const after = await measured('beefbeefbeefbeef');
      expect(after.impact).toEqual(before.impact);
      expect(after.requests).toBeLessThan(PACKAGES + 10);
      expect(after.bytes).toBeLessThan(200 * 1024);
    });
  });
}
