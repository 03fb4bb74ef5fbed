/** Package lists as found in registries: what quilt3 reads out of them, and what must be refused. */
import { expect, it } from 'vitest';
import { parseJsonl } from '../../src/package/jsonl.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import {
  caseNames,
  describeVectors,
  indexedCases,
  manifestBytes,
  readVectors,
} from '../support/quilt3-vectors.ts';

interface ReadCase {
  readonly manifest: string;
  readonly quilt3: 'accepts' | 'rejects';
  readonly note?: string;
  readonly top_hash?: string;
  readonly walk_order?: readonly string[];
}

describeVectors('package lists read by quilt3', 'read', () => {
  for (const name of caseNames('read')) {
    const vectors = readVectors('read', `${name}.json`) as ReadCase;
    const read = () => parseJsonl(manifestBytes('read', vectors.manifest), vectors.manifest);

    if (vectors.quilt3 === 'rejects' || vectors.note === 'must be rejected by us') {
      it(`${name}: is refused as an integrity error that names the list or the key`, async () => {
        const error: unknown = await read().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(PkgError);
        expect(error).toMatchObject({ code: 'integrity' });
      });
    } else {
      it(`${name}: has the top hash and the walk order of quilt3`, async () => {
        const pkg = await read();
        expect([...pkg.entries].map((entry) => entry.logicalKey)).toEqual(vectors.walk_order);
        expect(topHash(pkg)).toBe(vectors.top_hash);
      });
    }
  }

  it('the index says of each case what the case says', () => {
    const indexed = indexedCases().filter(({ kind }) => kind === 'read');
    for (const { case: name, expected } of indexed) {
      const { quilt3, top_hash } = readVectors('read', `${name}.json`) as ReadCase;
      if (quilt3 === 'rejects') expect(expected).toMatch(/^rejected/);
      else expect(expected).toBe(top_hash);
    }
    expect(indexed.length).toBeGreaterThan(0);
  });
});
