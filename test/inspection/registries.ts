/** Registries with something in them, for tests of their upkeep. */

import type { RegistryFinding } from '../../src/inspection/inspection.ts';
import { verifyRegistry } from '../../src/inspection/verify-registry.ts';
import { type Policy, writeSettings } from '../../src/objects/settings.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { writeBuildRecord } from '../../src/registry/build-records.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { writeSignature } from '../../src/registry/signed-revisions.ts';
import { ALWAYS, type Storage } from '../../src/storage/storage.ts';
import { uploadOf } from '../../src/storage/whole-content.ts';
import { digestOf } from '../../src/store/digest.ts';
import { buildRecord } from '../support/build-records.ts';
import { testRuntime } from '../support/runtime.ts';
import {
  type Files,
  noise,
  type SamplePackage,
  samplePackage,
} from '../support/sample-packages.ts';
import type { Suite } from '../support/shared.ts';
import { KEY_A } from '../support/signing-keys.ts';

/** Makes a fresh, empty registry. */
export type Fresh = () => Promise<Storage>;

export interface Backend {
  readonly name: string;
  readonly describe: Suite;
  readonly fresh: Fresh;
  /** Whether every file is damaged in every way, or each in one, where that takes long. */
  readonly faults: 'every' | 'one';
}

const LARGE = noise(9 * 2 ** 20, 7);

/** Files of all kinds: small, equal, empty, and one that packs keep in chunks. */
export const FILES: Files = {
  'README.md': 'read me',
  'data/a': noise(3000, 1),
  'data/b': noise(5000, 2),
  'data/a again': noise(3000, 1),
  'data/empty': '',
  'data/large': LARGE,
};

/** Enough files for the list of the second revision to be kept as a delta. */
function manyFiles(): Files {
  const files: Record<string, string> = {};
  for (let index = 0; index < 600; index++) files[longKey(index)] = `photo ${String(index)}`;
  return files;
}

function longKey(index: number): string {
  return `photos of ${'very '.repeat(50)}many fruits/photo-${String(index)}.jpg`;
}

/** Pushes as the command line does, at `second` since the epoch. */
export async function pushAt(
  storage: Storage,
  sample: SamplePackage,
  {
    name = 'user/name',
    tag,
    second = 1_750_000_000,
  }: { name?: string; tag?: string; second?: number } = {},
): Promise<void> {
  const system = testRuntime();
  const runtime = { ...system, clock: { ...system.clock, now: () => second * 1000 } };
  const release = { name, topHash: topHash(sample.pkg) };
  await pushPackage(runtime, storage, sample.pkg, {
    ...{ name, tag, open: sample.open },
    attest: async () => {
      await writeSignature(storage, release, sample.pkg, [KEY_A]);
      // One attestation that is in no envelope is enough.
      if (tag !== undefined) await writeBuildRecord(storage, release, buildRecord(), []);
    },
  });
}

/** Two names, three revisions, a tag, signatures, an unsigned record; under `packs` a delta too. */
export async function fill(storage: Storage, policy: Policy): Promise<void> {
  await writeSettings(storage, { policy, looseObjects: false }, ALWAYS);
  await pushAt(storage, samplePackage(FILES, 'one'), { tag: 'good' });
  const changed = { ...FILES, 'data/b': noise(5000, 3), 'data/c': 'new' };
  await pushAt(storage, samplePackage(changed, 'two'), { second: 1_750_000_100 });
  if (policy === 'objects') {
    await pushAt(storage, samplePackage({ x: 'x', y: 'y' }), { name: 'other/name' });
    return;
  }
  const many = manyFiles();
  await pushAt(storage, samplePackage(many, 'one'), { name: 'other/name' });
  const sample = samplePackage({ ...many, [longKey(7)]: 'other' }, 'two');
  await pushAt(storage, sample, { name: 'other/name', second: 1_750_000_100 });
}

export async function findings(storage: Storage): Promise<RegistryFinding[]> {
  const found: RegistryFinding[] = [];
  for await (const finding of verifyRegistry(testRuntime(), storage)) found.push(finding);
  return found;
}

/** All files of a registry but leases. */
export async function contentOf(storage: Storage): Promise<Map<string, Buffer>> {
  const content = new Map<string, Buffer>();
  for await (const { key } of storage.list('')) {
    if (!key.startsWith('.pkg/leases/')) content.set(key, await bytesAt(storage, key));
  }
  return content;
}

/** The digest of each file: a short word to compare them by. */
export function digestsOf(content: ReadonlyMap<string, Buffer>): Record<string, string> {
  return Object.fromEntries([...content].map(([key, data]) => [key, digestOf(data)]));
}

export async function bytesAt(storage: Storage, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await storage.read({ key }))?.bytes ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Puts bytes at a key, as anyone with access to the storage can. */
export async function plant(storage: Storage, key: string, data: string | Buffer): Promise<void> {
  await storage.write(key, await uploadOf(Buffer.from(data)), ALWAYS);
}

/** What can happen to the bytes of a file; undefined for its removal. */
export const FAULTS: Readonly<Record<string, (data: Buffer) => Buffer | undefined>> = {
  flipped: (data) => flipAt(data, data.length >> 1),
  truncated: (data) => data.subarray(0, -1),
  replaced: (data) => noise(data.length, 99),
  missing: () => undefined,
};

export function flipAt(data: Buffer, at: number, bit = 1): Buffer {
  const flipped = Buffer.from(data);
  flipped[at] = (flipped[at] ?? 0) ^ bit;
  return flipped;
}

/** The ways in which to damage a file, the `number`th one of its registry. */
export function faultsFor(faults: Backend['faults'], number: number) {
  const all = Object.entries(FAULTS);
  return faults === 'every' ? all : all.slice(number % all.length, (number % all.length) + 1);
}

/** Puts other bytes at a key, or none. */
export async function damage(storage: Storage, key: string, data: Buffer | undefined) {
  if (data === undefined) await storage.remove([key]);
  else await plant(storage, key, data);
}
