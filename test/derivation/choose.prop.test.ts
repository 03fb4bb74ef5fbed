/** The choice between fetching and deriving: never more traffic than either, and the least there is. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { choosePhotos } from '../../src/derivation/choose.ts';
import { Supply } from '../../src/derivation/supply.ts';
import { type Load, trafficOf } from '../../src/derivation/traffic.ts';
import { FETCH, KEEP, type Plan } from '../../src/installation/plan.ts';
import type { Entry } from '../../src/package/entry.ts';
import { MAX_GAP_BYTES } from '../../src/packs/read-plan.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

function entryAt(logicalKey: string, sizeBytes: number): Entry {
  const hash = { type: 'SHA256', value: digestOf(logicalKey) };
  const physicalKey = `s3://bucket/${logicalKey}`;
  return { logicalKey, physicalKey, size: BigInt(sizeBytes), sizeBytes, hash, meta: new Map() };
}

interface Photo {
  readonly sizeBytes: number;
  /** Whether it is in the folder, asked for, or neither. */
  readonly state: 'here' | 'wanted' | 'unwanted';
  readonly crops: readonly number[];
}

const size = fc.integer({ min: 1, max: 1000 });
const photo = fc.record({
  sizeBytes: size,
  state: fc.constantFrom<Photo['state'][]>('here', 'wanted', 'unwanted', 'unwanted'),
  crops: fc.array(size, { maxLength: 4 }),
});

const TABLE_KEYS = ['manifest.lock.json', 'metadata/crops.csv', 'metadata/images.csv'];
const BOX = '0123456789ab';

function entriesOf(photos: readonly Photo[], tableBytes: number) {
  const tables = TABLE_KEYS.map((key) => entryAt(key, tableBytes));
  const images = photos.map(({ sizeBytes }, id) => entryAt(`images/p${String(id)}.jpg`, sizeBytes));
  const crops = photos.flatMap((one, id) =>
    one.crops.map((sizeBytes, box) =>
      entryAt(`images_cropped/Class${String(box)}/p${String(id)}_${BOX}.jpg`, sizeBytes),
    ),
  );
  return { tables, images, crops };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

let supply: Supply;
beforeAll(async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'registry'));
  const registry = new DirectoryStorage(testRuntime(), join(root, 'registry'));
  const store = await openStore(join(root, 'store'), Date.now());
  supply = new Supply(testRuntime(), { registry, folder: root, store, offline: false });
});

describe('choosePhotos', () => {
  it('moves the least that any choice of photos would', async () => {
    const photos = fc.array(photo, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(photos, fc.integer({ min: 0, max: 300 }), async (made, tableBytes) => {
        const { tables, images, crops } = entriesOf(made, tableBytes);
        const stated = images.filter((_, id) => made[id]?.state !== 'unwanted');
        const selected = [...stated, ...crops];
        const steps = selected.map(({ logicalKey }) => {
          const id = Number(/^images\/p(\d+)/.exec(logicalKey)?.[1] ?? Number.NaN);
          return made[id]?.state === 'here' ? KEEP : FETCH;
        });
        const plan: Plan = {
          ...{ selected, steps: Uint8Array.from(steps), outdated: new Set(), changed: [] },
          ...{ leaving: { files: 0, sizeBytes: 0 }, blocked: [] },
        };
        const choice = await choosePhotos(supply, [...tables, ...images, ...crops], plan);
        const chosen = new Set([...(choice?.photos.keys() ?? [])].map((id) => Number(id.slice(1))));
        const costOf = (derives: (id: number) => boolean, knows: boolean) =>
          (knows ? 3 * tableBytes : 0) +
          sum(
            made.map(({ sizeBytes, state, crops: own }, id) => {
              const isExtra = state === 'unwanted' && derives(id) && own.length > 0;
              return (isExtra ? sizeBytes : 0) + (derives(id) ? 0 : sum(own));
            }),
          );
        let least = costOf(() => false, false);
        for (let set = 1; set < 2 ** made.length; set++) {
          least = Math.min(
            least,
            costOf((id) => (set & (2 ** id)) !== 0, true),
          );
        }
        expect(costOf((id) => chosen.has(id), choice !== undefined)).toBe(least);
        for (const { logicalKey } of crops) {
          const id = Number(/p(\d+)/.exec(logicalKey)?.[1]);
          expect(choice?.crops.has(logicalKey) ?? false).toBe(chosen.has(id));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('trafficOf', () => {
  const places = fc.array(
    fc.record({
      pack: fc.constantFrom(digestOf('a'), digestOf('b')),
      offset: fc.integer({ min: 0, max: 2_000_000 }),
      sizeBytes: size,
    }),
    { maxLength: 20 },
  );
  const loadsOf = (list: readonly { pack: Load['digest']; offset: number; sizeBytes: number }[]) =>
    list.map(({ pack, offset, sizeBytes }): Load => {
      const place = pack === undefined ? undefined : { pack, offset, sizeBytes };
      return { place, sizeBytes, digest: digestOf(`${String(pack)} ${String(offset)}`) };
    });

  it('is at least the bytes asked for, at most with a gap before each, in any order', () => {
    fc.assert(
      fc.property(places, (list) => {
        const distinct = [
          ...new Map(list.map((one) => [`${one.pack} ${String(one.offset)}`, one])).values(),
        ].filter(
          (one, index, all) =>
            !all.some(
              (other, at) =>
                at !== index &&
                other.pack === one.pack &&
                other.offset < one.offset + one.sizeBytes &&
                one.offset < other.offset + other.sizeBytes,
            ),
        );
        const bytes = sum(distinct.map(({ sizeBytes }) => sizeBytes));
        const traffic = trafficOf(loadsOf(distinct));
        expect(traffic).toBeGreaterThanOrEqual(bytes);
        expect(traffic).toBeLessThanOrEqual(bytes + MAX_GAP_BYTES * distinct.length);
        expect(trafficOf(loadsOf(distinct.toReversed()))).toBe(traffic);
      }),
    );
  });

  it('counts the same bytes once, alone or in a pack', () => {
    const digest = digestOf('content');
    const alone: Load = { place: undefined, digest, sizeBytes: 7 };
    expect(trafficOf([alone, alone])).toBe(7);
    expect(
      trafficOf([
        { ...alone, digest: undefined },
        { ...alone, digest: undefined },
      ]),
    ).toBe(14);
    const place = { pack: digestOf('pack'), offset: 5, sizeBytes: 7 };
    expect(
      trafficOf([
        { ...alone, place },
        { ...alone, place },
      ]),
    ).toBe(7);
  });
});
