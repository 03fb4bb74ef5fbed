/** The check of receipts holds for whatever stands beside a revision, in whatever order it was said. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { receiptCheck } from '../../src/installation/receipt-check.ts';
import { attestationPrefix } from '../../src/objects/layout.ts';
import { parseTopHash } from '../../src/package/package.ts';
import { writeEnvelope } from '../../src/registry/attestations.ts';
import { signReceipt } from '../../src/signatures/receipt.ts';
import { addTrust, NO_TRUST, parseTrustScope } from '../../src/signatures/trust.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { sameReceipt } from '../support/receipts.ts';
import { testRuntime } from '../support/runtime.ts';
import { freshKey } from '../support/signing-keys.ts';
import { temporaryFolder } from '../support/temporary.ts';

const RELEASE = { name: 'user/name', topHash: parseTopHash('a'.repeat(64)) };
const OTHERS = [
  { ...RELEASE, name: 'user/other' },
  { ...RELEASE, topHash: parseTopHash('b'.repeat(64)) },
];
const TRUSTED = 3;
const KEYS = Array.from({ length: TRUSTED + 2 }, freshKey);
const POLICY = KEYS.slice(0, TRUSTED).reduce(
  (policy, { publicKey }) =>
    addTrust(policy, parseTrustScope('*', '*'), { ...publicKey, comment: '' }, 'as-before'),
  NO_TRUST,
);

/** What somebody says; `about` is 0 for the revision itself. */
const saying = fc.record({
  by: fc.uniqueArray(fc.nat(KEYS.length - 1), { minLength: 1, maxLength: 2 }),
  about: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2)),
  result: fc.oneof(
    { weight: 4, arbitrary: fc.constant('same' as const) },
    fc.constant('differs' as const),
  ),
  scope: fc.constantFrom('all' as const, 'data' as const),
  entries: fc.nat(1),
});

it('passes where enough trusted keys say the same of all of it and none says it differs', async () => {
  const registry = new DirectoryStorage(testRuntime(), await temporaryFolder());
  await fc.assert(
    fc.asyncProperty(fc.array(saying, { maxLength: 6 }), async (sayings) => {
      const keys: string[] = [];
      for (const { by, about, result, scope, entries } of sayings) {
        const release = [RELEASE, ...OTHERS][about] ?? RELEASE;
        const receipt = sameReceipt({ result, scope, entries });
        const signers = KEYS.filter((_key, index) => by.includes(index));
        const envelope = signReceipt({ release, receipt }, signers);
        keys.push(await writeEnvelope(registry, RELEASE.topHash, envelope));
      }
      const heard = sayings
        .filter(({ about }) => about === 0)
        .flatMap(({ by, ...rest }) =>
          by.filter((key) => key < TRUSTED).map((key) => ({ key, ...rest })),
        );
      const isContradicted = heard.some(({ result }) => result === 'differs');
      const same = heard.filter(({ result, scope }) => result === 'same' && scope === 'all');
      const count = new Set(same.map(({ key }) => key)).size;
      for (const needed of [1, 2, 3]) {
        const checked = receiptCheck(registry, POLICY, { needed, access: 'online' })(RELEASE);
        const passes = await checked.then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'integrity' });
            return false;
          },
        );
        expect(passes).toBe(!isContradicted && count >= needed);
      }
      await registry.remove(keys);
      for await (const { key } of registry.list(attestationPrefix(RELEASE.topHash))) {
        throw new Error(`${key} is left`);
      }
    }),
    { numRuns: 60 },
  );
});
