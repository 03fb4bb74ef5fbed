/** Registries that are swept: filled, looked at as a whole, and read as their users do. */
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { EntryReader } from '../../src/objects/objects.ts';
import { type Policy, writeSettings } from '../../src/objects/settings.ts';
import type { TopHash } from '../../src/package/package.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { IF_ABSENT, type Storage } from '../../src/storage/storage.ts';
import { type SweepOptions, type SweepResult, sweepRegistry } from '../../src/sweep/sweep.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

export interface SweptFolder {
  readonly folder: string;
  readonly registry: Storage;
}

export async function sweptFolder(policy: Policy): Promise<SweptFolder> {
  const folder = await temporaryFolder();
  const registry = new DirectoryStorage(testRuntime(), folder);
  await writeSettings(registry, { policy, looseObjects: false }, IF_ABSENT);
  return { folder, registry };
}

export async function pushFiles(
  registry: Storage,
  files: Files,
  name = 'user/name',
  tag?: string,
): Promise<TopHash> {
  const { pkg, open } = samplePackage(files);
  return (await pushPackage(testRuntime(), registry, pkg, { name, open, tag })).topHash;
}

/** Sweeps with no grace, unless another one is given. */
export async function sweep(
  registry: Storage,
  options: Partial<SweepOptions> = {},
): Promise<SweepResult> {
  return await sweepRegistry(testRuntime(), registry, { mode: 'remove', graceMs: 0, ...options });
}

export async function keysOf(registry: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of registry.list(prefix)) keys.push(key);
  return keys;
}

/** Reads a revision with all its bytes and holds it against what was pushed. */
export async function expectWhole(registry: Storage, hash: TopHash, files: Files): Promise<void> {
  const { entries } = await readPackage(registry, hash);
  expect([...entries].map(({ logicalKey }) => logicalKey).sort()).toEqual(
    Object.keys(files).sort(),
  );
  await new EntryReader(testRuntime(), registry, undefined).readMany(
    entries,
    async ({ logicalKey }, content) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of Buffer.isBuffer(content) ? [content] : content) chunks.push(chunk);
      const wanted = Buffer.from(files[logicalKey] ?? '');
      if (!Buffer.concat(chunks).equals(wanted)) throw new Error(`${logicalKey} has other bytes`);
    },
  );
}

/** Makes everything under a prefix look as if it was written hours ago. */
export async function age(
  { folder, registry }: SweptFolder,
  prefix: string,
  hours: number,
): Promise<void> {
  const at = new Date(Date.now() - hours * 3_600_000);
  for (const key of await keysOf(registry, prefix)) await utimes(join(folder, key), at, at);
}

/** Files of some hundred bytes, named by their numbers. */
export function numbered(from: number, to: number, prefix = 'f'): Record<string, string> {
  const files: Record<string, string> = {};
  for (let number = from; number < to; number++) {
    files[`${prefix}/${String(number)}`] = `${String(number)} `.repeat(100);
  }
  return files;
}
