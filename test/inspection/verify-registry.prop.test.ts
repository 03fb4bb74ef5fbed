/** Whatever single byte of a registry is another one, a check says where. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRegistry } from '../../src/conversion/create.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import { noise, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { contentOf, damage, digestsOf, findings, flipAt, pushAt } from './registries.ts';
import { repair } from './repair-contract.ts';

const FILES = { a: 'aaa', 'b/c': noise(2000, 1), 'b/d': noise(900, 2), e: '' };

async function filled(policy: 'packs' | 'objects'): Promise<DirectoryStorage> {
  const storage = new DirectoryStorage(testRuntime(), await temporaryFolder());
  await createRegistry(storage, policy);
  await pushAt(storage, samplePackage(FILES, 'one'), { tag: 'good' });
  await pushAt(storage, samplePackage({ ...FILES, f: 'new' }, 'two'), { second: 1_750_000_100 });
  return storage;
}

for (const policy of ['packs', 'objects'] as const) {
  it(`finds and mends any flipped bit in a registry of ${policy}`, async () => {
    const [storage, twin] = [await filled(policy), await filled(policy)];
    const content = await contentOf(storage);
    const keys = [...content.keys()].filter((key) => (content.get(key)?.length ?? 0) > 0);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.integer({ min: 0, max: 7 }),
        async (key, where, bit) => {
          const data = content.get(key) ?? Buffer.alloc(0);
          await damage(storage, key, flipAt(data, Math.floor(where * data.length), 1 << bit));
          const found = await findings(storage);
          expect(found.map((finding) => finding.key)).toContain(key);
          expect((await repair(storage, { from: [twin] })).left).toEqual([]);
          const after = digestsOf(await contentOf(storage));
          await damage(storage, key, data);
          expect(after).toEqual(digestsOf(content));
        },
      ),
      { numRuns: 150 },
    );
  });
}
