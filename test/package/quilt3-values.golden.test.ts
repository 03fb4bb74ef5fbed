/** Single values that real quilt3 hashed and spelt: objects, canonical JSON and physical keys. */
import { expect, it } from 'vitest';
import { parseJson } from '../../src/package/lossless-json.ts';
import {
  chunkedFromDigest,
  chunkSizeBytes,
  createObjectHasher,
  HASH_TYPES,
} from '../../src/package/object-hash.ts';
import { formatPhysicalKey, parsePhysicalKey } from '../../src/package/physical-key.ts';
import { canonicalQuiltJson } from '../../src/package/quilt-json.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { parseDigest } from '../../src/store/digest.ts';
import { contentOf, describeVectors, type Recipe, readVectors } from '../support/quilt3-vectors.ts';

interface ObjectVectors {
  readonly objects: readonly ({
    readonly content: Recipe;
    readonly size: number;
  } & Readonly<Record<(typeof HASH_TYPES)[number], string>>)[];
  readonly chunk_size: readonly { readonly file_size: number; readonly chunk_size: number }[];
}

describeVectors('object hashes of quilt3', 'object-hashes.json', () => {
  const { objects, chunk_size: chunkSizes } = readVectors('object-hashes.json') as ObjectVectors;

  for (const [index, object] of objects.entries()) {
    it(`object ${String(index)} of ${String(object.size)} bytes has the hashes of quilt3`, () => {
      const hashers = HASH_TYPES.map((type) => createObjectHasher(type, object.size));
      for (const piece of contentOf(object.content, object.size)) {
        for (const hasher of hashers) hasher.update(piece);
      }
      const found = Object.fromEntries(HASH_TYPES.map((type, at) => [type, hashers[at]?.finish()]));
      const expected = Object.fromEntries(HASH_TYPES.map((type) => [type, object[type]]));
      expect(found).toEqual(expected);
    });
  }

  it('the hash of one chunk follows from the plain SHA-256, that of several does not', () => {
    for (const { size, SHA256: plain, 'sha2-256-chunked': chunked } of objects) {
      const expected = size <= 8 * 2 ** 20 ? chunked : undefined;
      expect(chunkedFromDigest(parseDigest(plain), size)).toBe(expected);
    }
  });

  it('the chunk size of a file is the one quilt3 picks', () => {
    const found = chunkSizes.map(({ file_size: size }) => chunkSizeBytes(size));
    expect(found).toEqual(chunkSizes.map((vector) => vector.chunk_size));
  });
});

describeVectors('canonical JSON of quilt3', 'canonical-json.json', () => {
  const { cases } = readVectors('canonical-json.json') as {
    cases: readonly { readonly json: string; readonly canonical: string }[];
  };

  for (const { json, canonical } of cases) {
    it(`${json} is hashed as ${canonical}`, () => {
      expect(canonicalQuiltJson(parseJson(json))).toBe(canonical);
    });
  }
});

interface S3Vector {
  readonly url: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
}

describeVectors('physical keys of quilt3', 'physical-keys.json', () => {
  const { encode, decode } = readVectors('physical-keys.json') as {
    encode: readonly S3Vector[];
    decode: readonly (S3Vector | { readonly url: string; readonly error: string })[];
  };
  const location = ({ bucket, key, version_id: version }: S3Vector) => ({
    scheme: 's3' as const,
    bucket,
    key,
    versionId: version ?? undefined,
  });

  for (const vector of encode) {
    it(`${vector.url} is spelt byte for byte as quilt3 spells it, and read back`, () => {
      expect(formatPhysicalKey(location(vector))).toBe(vector.url);
      expect(parsePhysicalKey(vector.url)).toEqual(location(vector));
    });
  }

  for (const vector of decode) {
    if ('error' in vector) {
      it(`${vector.url} is refused`, () => {
        expect(() => parsePhysicalKey(vector.url)).toThrow(PkgError);
      });
    } else {
      it(`${vector.url} names the location that quilt3 reads`, () => {
        expect(parsePhysicalKey(vector.url)).toEqual(location(vector));
      });
    }
  }
});
