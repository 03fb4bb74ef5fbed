/** The contract of verifying a registry: each fault is named, and nothing else. */
import { expect, it } from 'vitest';
import type { RegistryFinding } from '../../src/inspection/inspection.ts';
import { digestOf } from '../../src/store/digest.ts';
import {
  type Backend,
  bytesAt,
  contentOf,
  damage,
  faultsFor,
  fill,
  findings,
  plant,
} from './registries.ts';

export function tamperContract({ fresh, faults }: Backend): void {
  for (const policy of ['packs', 'objects'] as const) {
    it(`finds nothing wrong with a sound registry of ${policy}`, async () => {
      const storage = await fresh();
      await fill(storage, policy);
      expect(await findings(storage)).toEqual([]);
    });

    it(`names each file of a registry of ${policy} that is damaged`, async () => {
      const storage = await fresh();
      await fill(storage, policy);
      for (const [number, [key, data]] of [...(await contentOf(storage))].entries()) {
        for (const [fault, change] of faultsFor(faults, number)) {
          // An empty object cannot lose anything but itself.
          if (data.length === 0 && fault !== 'missing') continue;
          await damage(storage, key, change(data));
          const found = await findings(storage);
          const isNamed = found.some((finding) => finding.key === key || finding.why.includes(key));
          expect(isNamed || (fault === 'missing' && !isNamedByOthers(key)), `${fault} ${key}`).toBe(
            true,
          );
          expect(
            found.filter((other) => !follows(key, fault, other)),
            `${fault} ${key}`,
          ).toEqual([]);
          await damage(storage, key, data);
        }
      }
      expect(await findings(storage)).toEqual([]);
    });

    it(`names each file that a registry of ${policy} has too many`, async () => {
      const storage = await fresh();
      await fill(storage, policy);
      const data = Buffer.from('of no use');
      const digest = digestOf(data);
      const extra = [
        `objects/${digest.slice(0, 2)}/${digest}`,
        `objects/${'0'.repeat(64)}`,
        `.pkg/packs/${digest.slice(0, 2)}/${digest}`,
        `.pkg/index/${digest}`,
        `.pkg/index/stray`,
        `.pkg/stray`,
        `.pkg/attestations/${digest}/${digest}.json`,
        `.quilt/packages/${digest}`,
        `.quilt/packages/stray`,
        `.quilt/named_packages/stray`,
      ];
      for (const key of extra) {
        await plant(storage, key, data);
        expect((await findings(storage)).map((finding) => finding.key)).toEqual([key]);
        await storage.remove([key]);
      }
      expect((await bytesAt(storage, extra[0] ?? '')).length).toBe(0);
    });
  }
}

/** Files that nothing names cannot be missed. */
function isNamedByOthers(key: string): boolean {
  return !/^\.pkg\/attestations\/|^\.quilt\/named_packages\/(?!.*\/latest$)|^\.pkg\/registry\.json$/.test(
    key,
  );
}

/** What else may be said where a file is damaged. */
function follows(key: string, fault: string, { key: other, kind }: RegistryFinding): boolean {
  const isOfNames = (text: string) => text.startsWith('.quilt/') || text.startsWith('.pkg/deltas/');
  // A pointer leads to its list, a delta to its base, and a revision that no pointer names is extra.
  if (key === other || (isOfNames(key) && isOfNames(other))) return true;
  return fault === 'missing' && kind === 'extra' && key.startsWith('.quilt/named_packages/');
}
