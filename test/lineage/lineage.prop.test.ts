/** Lineage as bytes: what is written is read, found and merged without loss; anything else is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLineage, lineageOfSome, mergeLineages } from '../../src/lineage/decode-lineage.ts';
import { encodeLineage } from '../../src/lineage/encode-lineage.ts';
import { type Lineage, normalizeTerm, termHash } from '../../src/lineage/lineage.ts';
import { LineageFile } from '../../src/lineage/lineage-file.ts';
import { lookUp } from '../../src/lineage/look-up.ts';
import { parseTopHash } from '../../src/package/package.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { digestOf } from '../../src/store/digest.ts';

const word = fc.oneof(
  fc.constantFrom('a', 'B', 'Ü', 'https://x.example/P', 'http://X.example/P/', 'by/2.0'),
  fc.string({ maxLength: 12, unit: 'grapheme' }),
);

const photo = fc
  .record({
    imageId: fc.constantFrom('0a', '0b', '0c', '0d', '1f'),
    status: fc.constantFrom('ok', 'missing'),
    author: word,
    licence: word,
    urls: fc.array(
      word.filter((text) => text.trim() !== ''),
      { maxLength: 3 },
    ),
    crops: fc.array(
      fc.record({
        logicalKey: fc.oneof(
          fc.constantFrom('images_cropped/A/0a_1.jpg', 'images_cropped/B/0b_2.jpg', 'x', 'a/b/c'),
          fc.string({ maxLength: 8 }),
        ),
        split: fc.constantFrom('train', 'validation', 'test', undefined),
      }),
      { maxLength: 3 },
    ),
  })
  .map((made) => {
    const others = new Set([made.imageId, made.author, made.licence].map(termHash));
    const urls = [...new Set(made.urls.map(termHash))].filter((hash) => !others.has(hash)).sort();
    return { ...made, urls };
  });

/** A lineage of one revision, named by a number. */
const single = (name: number): fc.Arbitrary<Lineage> =>
  fc
    .record({
      hasPhotos: fc.boolean(),
      hasModel: fc.boolean(),
      unread: fc.subarray(['metadata/crops.csv', 'metadata/images.csv']),
      bases: fc.array(
        fc.record({
          use: fc.constantFrom('data' as const, 'model' as const),
          name: fc.constant('a/b'),
          topHash: fc.constant(parseTopHash(digestOf('base'))),
        }),
        { maxLength: 2 },
      ),
      photos: fc.array(photo, { maxLength: 8 }),
    })
    .map(({ photos, ...rest }) => ({
      revisions: [{ topHash: parseTopHash(digestOf(String(name))), ...rest }],
      photos: photos.map((own) => ({ ...own, revisions: [0] })),
    }));

const several = fc.tuple(single(1), single(2), single(3));

/** The photos of a lineage in the one order that bytes have. */
const sorted = (lineage: Lineage) => decodeLineage(encodeLineage(lineage));

describe('lineage as bytes', () => {
  it('is read as it was written, and has one spelling whatever the order of photos', () => {
    fc.assert(
      fc.property(single(1), (lineage) => {
        const bytes = encodeLineage(lineage);
        const read = decodeLineage(bytes);
        expect(read.revisions).toEqual(lineage.revisions);
        expect(read.photos).toHaveLength(lineage.photos.length);
        expect(read.photos).toEqual(expect.arrayContaining([...lineage.photos]));
        const turned = { ...lineage, photos: lineage.photos.toReversed() };
        expect(encodeLineage(turned).equals(bytes)).toBe(true);
      }),
    );
  });

  it('gives each revision back as it was before they were merged, in whatever order', () => {
    fc.assert(
      fc.property(several, (lineages) => {
        const merged = encodeLineage(mergeLineages(lineages));
        expect(encodeLineage(mergeLineages(lineages.toReversed())).equals(merged)).toBe(true);
        for (const lineage of lineages) {
          const [revision] = lineage.revisions;
          const own = lineageOfSome(decodeLineage(merged), (hash) => hash === revision?.topHash);
          expect(own && sorted(own)).toEqual(sorted(lineage));
        }
        expect(
          encodeLineage(mergeLineages([...lineages, sorted(lineages[0])])).equals(merged),
        ).toBe(true);
      }),
    );
  });

  it('finds by any term just the photos that have it', async () => {
    await fc.assert(
      fc.asyncProperty(several, word, async (lineages, query) => {
        const lineage = sorted(mergeLineages(lineages));
        const file = await LineageFile.ofBytes(encodeLineage(lineage));
        const question = { query, maxNames: 100, isNamed: () => true };
        const { hits } = await lookUp(file, question, new Set());
        const wanted = normalizeTerm(query);
        for (const [number, { topHash }] of lineage.revisions.entries()) {
          const held = lineage.photos.filter(
            ({ revisions, imageId, author, licence, urls }) =>
              revisions.includes(number) &&
              wanted !== '' &&
              ([imageId, author, licence].some((text) => normalizeTerm(text) === wanted) ||
                urls.includes(termHash(query))),
          );
          const found = hits.get(topHash)?.imageIds ?? [];
          const byLicence = lineage.photos.filter(
            ({ revisions, licence }) => revisions.includes(number) && licence !== '',
          );
          if (/[/]|cc-/i.test(query)) {
            expect(found.length).toBeGreaterThanOrEqual(held.length);
            expect(found.length).toBeLessThanOrEqual(held.length + byLicence.length);
          } else expect(found).toEqual(expect.arrayContaining(held.map(({ imageId }) => imageId)));
        }
      }),
    );
  });

  it('refuses any byte changed, cut off or put behind, or says nothing else than before', () => {
    fc.assert(
      fc.property(several, fc.nat(), fc.integer({ min: 1, max: 255 }), (lineages, at, flip) => {
        const bytes = encodeLineage(mergeLineages(lineages));
        const changed = Buffer.from(bytes);
        changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ flip;
        for (const bad of [
          changed,
          bytes.subarray(0, at % bytes.length),
          Buffer.concat([bytes, Buffer.from([flip])]),
        ]) {
          let read: Lineage;
          try {
            read = decodeLineage(bad);
          } catch (error) {
            if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
            continue;
          }
          // What decodes is spelt as it would be written: another lineage, and no half of one.
          expect(encodeLineage(read).equals(bad)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends a lookup in any damaged lineage with an answer or with what is wrong', async () => {
    await fc.assert(
      fc.asyncProperty(
        several,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1 }),
        word,
        async (lineages, flips, query) => {
          const bytes = Buffer.from(encodeLineage(mergeLineages(lineages)));
          for (const [at, flip] of flips) {
            bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip;
          }
          try {
            const file = await LineageFile.ofBytes(bytes);
            const question = { query, maxNames: 100, isNamed: () => true };
            await lookUp(file, question, new Set());
          } catch (error) {
            if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
