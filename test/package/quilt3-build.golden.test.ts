/** Packages that real quilt3 built: the same inputs have the same hashes and the same top hash. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import { formatJsonl, parseJsonl } from '../../src/package/jsonl.ts';
import { isJsonObject, parseJson } from '../../src/package/lossless-json.ts';
import { createObjectHasher, type HashType } from '../../src/package/object-hash.ts';
import { packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import {
  caseNames,
  contentOf,
  describeVectors,
  indexedCases,
  manifestBytes,
  manifestText,
  type Recipe,
  readVectors,
} from '../support/quilt3-vectors.ts';

interface BuildCase {
  readonly header_json: string;
  readonly files: readonly {
    readonly logical_key: string;
    readonly content: Recipe;
    readonly size: number;
    readonly sha256: string;
    readonly sha2_256_chunked: string;
    readonly meta_json: string;
  }[];
  readonly dir_meta_json?: Readonly<Record<string, string>>;
  readonly hash_type: HashType;
  readonly walk_order: readonly string[];
  readonly manifest: string;
  readonly top_hash: string;
}

describeVectors('packages built by quilt3', 'build', () => {
  for (const name of caseNames('build')) {
    const vectors = readVectors('build', `${name}.json`) as BuildCase;

    it(`${name}: contents hash to what quilt3 says`, () => {
      for (const file of vectors.files) {
        const found = hashContent(file.content, file.size);
        expect({ key: file.logical_key, ...found }).toEqual({
          key: file.logical_key,
          size: file.size,
          sha256: file.sha256,
          chunked: file.sha2_256_chunked,
        });
      }
    });

    it(`${name}: the inputs have the top hash and the walk order of quilt3`, () => {
      const pkg = packageOfInputs(vectors);
      expect([...pkg.entries].map((entry) => entry.logicalKey)).toEqual(vectors.walk_order);
      expect(topHash(pkg)).toBe(vectors.top_hash);
    });

    it(`${name}: the manifest of quilt3 reads to the same package`, async () => {
      const pkg = await parseJsonl(manifestBytes('build', vectors.manifest), name);
      expect([...pkg.entries].map((entry) => entry.logicalKey)).toEqual(vectors.walk_order);
      expect(topHash(pkg)).toBe(vectors.top_hash);
      expect(pkg).toEqual(withPhysicalKeys(packageOfInputs(vectors), [...pkg.entries]));
    });

    it(`${name}: the manifest is written byte for byte as quilt3 writes it`, async () => {
      const text = manifestText('build', vectors.manifest);
      const pkg = await parseJsonl(manifestBytes('build', vectors.manifest), name);
      expect([...formatJsonl(pkg)].join('')).toBe(text);
    });
  }

  it('the index names the same top hashes as the cases', () => {
    const indexed = indexedCases().filter(({ kind }) => kind === 'build');
    for (const { case: name, expected } of indexed) {
      expect((readVectors('build', `${name}.json`) as BuildCase).top_hash).toBe(expected);
    }
    expect(indexed.length).toBeGreaterThan(0);
  });
});

function hashContent(recipe: Recipe, size: number) {
  const plain = createHash('sha256');
  const chunked = createObjectHasher('sha2-256-chunked', size);
  let received = 0;
  for (const piece of contentOf(recipe, size)) {
    received += piece.length;
    plain.update(piece);
    chunked.update(piece);
  }
  return { size: received, sha256: plain.digest('hex'), chunked: chunked.finish() };
}

/** The package of a case's inputs, its entries handed over last first. */
function packageOfInputs(vectors: BuildCase) {
  const header = parseJson(vectors.header_json);
  if (!isJsonObject(header)) throw new Error('the header is no object');
  const entries = vectors.files.map((file): Entry => {
    const meta = parseJson(file.meta_json);
    return {
      logicalKey: file.logical_key,
      physicalKey: 's3://elsewhere/unknown',
      size: BigInt(file.size),
      sizeBytes: file.size,
      hash: {
        type: vectors.hash_type,
        value: vectors.hash_type === 'SHA256' ? file.sha256 : file.sha2_256_chunked,
      },
      meta: isJsonObject(meta) ? meta : new Map(),
    };
  });
  const folders = Object.entries(vectors.dir_meta_json ?? {}).map(([key, json]) => ({
    logicalKey: `${key}/`,
    meta: parseJson(json),
  }));
  return packageOf(header, entries.reverse(), folders);
}

function withPhysicalKeys(pkg: ReturnType<typeof packageOfInputs>, from: readonly Entry[]) {
  const entries = [...pkg.entries].map((entry, index) => ({
    ...entry,
    physicalKey: from[index]?.physicalKey ?? '',
  }));
  return { ...pkg, entries };
}
