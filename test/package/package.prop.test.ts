/** Packages keep their content and their top hash through text and through any order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import { formatJsonl, parseJsonl } from '../../src/package/jsonl.ts';
import { packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import {
  anyEntries,
  anyJsonObject,
  anyPackage,
  reverseKeys,
  reverseObject,
} from '../support/package-arbitraries.ts';

async function* inPieces(text: string, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const bytes = await Promise.resolve(Buffer.from(text));
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    yield bytes.subarray(start, start + pieceBytes);
  }
}

describe('the JSON lines of a package', () => {
  it('read back to the same package with the same top hash, whatever pieces they come in', async () => {
    await fc.assert(
      fc.asyncProperty(anyPackage, fc.integer({ min: 1, max: 200 }), async (pkg, pieceBytes) => {
        const read = await parseJsonl(inPieces([...formatJsonl(pkg)].join(''), pieceBytes), 'list');
        expect(read).toEqual(pkg);
        expect(topHash(read)).toBe(topHash(pkg));
      }),
    );
  });

  it('read the same from lines in any order with keys in any order', async () => {
    await fc.assert(
      fc.asyncProperty(anyPackage, async (pkg) => {
        const [header = '', ...lines] = formatJsonl(pkg);
        const text = [header, ...lines.reverse()].join('');
        const read = await parseJsonl(inPieces(text, 1000), 'list');
        expect(read.entries).toEqual(pkg.entries);
        expect(topHash(read)).toBe(topHash(pkg));
      }),
    );
  });
});

describe('the top hash', () => {
  it('does not change with the order of entries', () => {
    const shuffled = anyEntries.chain((entries) =>
      fc.tuple(
        fc.constant(entries),
        fc.shuffledSubarray([...entries], { minLength: entries.length }),
      ),
    );
    fc.assert(
      fc.property(anyJsonObject, shuffled, (header, [entries, other]) => {
        expect(topHash(packageOf(header, other))).toBe(topHash(packageOf(header, entries)));
      }),
    );
  });

  it('does not change with the order of keys in header and metadata', () => {
    fc.assert(
      fc.property(anyPackage, (pkg) => {
        const entries = [...pkg.entries].map((entry) => ({
          ...entry,
          meta: reverseObject(entry.meta),
        }));
        const other = { ...pkg, header: reverseObject(pkg.header), entries };
        expect(topHash(other)).toBe(topHash(pkg));
      }),
    );
  });

  it('does not change with physical keys and folder metadata', () => {
    fc.assert(
      fc.property(anyPackage, (pkg) => {
        const entries = [...pkg.entries].map((entry) => ({
          ...entry,
          physicalKey: 's3://other/place',
        }));
        const folders = pkg.folders.map((folder) => ({
          ...folder,
          meta: [reverseKeys(folder.meta)],
        }));
        expect(topHash({ ...pkg, entries, folders })).toBe(topHash(pkg));
      }),
    );
  });

  it('changes with whatever else of an entry changes', () => {
    const withEntry = anyPackage.filter((pkg) => pkg.entries.length > 0);
    fc.assert(
      fc.property(withEntry, fc.nat(), (pkg, at) => {
        const index = at % pkg.entries.length;
        const changes = [
          (entry: Entry) => ({
            ...entry,
            logicalKey: `${entry.logicalKey}x`,
          }),
          (entry: Entry) => ({
            ...entry,
            size: typeof entry.size === 'bigint' ? entry.size + 1n : BigInt(entry.size),
          }),
          (entry: Entry) => ({
            ...entry,
            hash: { ...entry.hash, value: `${entry.hash.value}x` },
          }),
          (entry: Entry) => ({
            ...entry,
            meta: new Map([...entry.meta, ['an added key', null]]),
          }),
        ];
        const hashes = changes.map((change) =>
          topHash({
            ...pkg,
            entries: [...pkg.entries].map((entry, other) =>
              other === index ? change(entry) : entry,
            ),
          }),
        );
        expect(new Set([topHash(pkg), ...hashes]).size).toBe(changes.length + 1);
      }),
    );
  });
});
