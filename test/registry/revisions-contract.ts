/** The contract of revisions: how a pushed package is listed, named and found again. */

import { expect, it } from 'vitest';
import { objectKey, pointerKey } from '../../src/objects/layout.ts';
import { packageOf, type TopHash } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { listPackages, readHistory, resolveReference } from '../../src/registry/revisions.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { headerOf, samplePackage } from '../support/sample-packages.ts';
import { failureOf, plant, plantPackage, push, type Setup } from './registry-contract.ts';

const FILES = { 'README.md': 'read me', 'data/a': 'aaa', 'data/b': 'bbb', 'data/empty': '' };

/** Two messages whose empty packages have top hashes with the same first six digits. */
function findTwins(): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let number = 0; ; number++) {
    const message = `message ${String(number)}`;
    const start = topHash(packageOf(headerOf(message), [])).slice(0, 6);
    const twin = seen.get(start);
    if (twin !== undefined) return [twin, message];
    seen.set(start, message);
  }
}

export async function resolve(registry: Storage, reference: string): Promise<TopHash> {
  return await resolveReference(registry, parseReference(reference));
}

/** The top hashes of a name's history, newest first. */
export async function hashesOf(registry: Storage, name = 'user/name'): Promise<readonly TopHash[]> {
  return (await readHistory(registry, name)).map((revision) => revision.topHash);
}

export function revisionsContract(setup: Setup): void {
  const fresh = async () => await (await setup())();

  it('makes a package that can be listed, resolved and read', async () => {
    const registry = await fresh();
    const sample = samplePackage(FILES, 'first');
    const hash = topHash(sample.pkg);
    const result = await push(registry, sample, 'user/name', 'v1.0');
    expect(result).toMatchObject({ name: 'user/name', topHash: hash, uploaded: 4, reused: 0 });
    expect(await listPackages(registry)).toEqual([
      { name: 'user/name', revisions: 1, latest: hash },
    ]);
    const [revision, ...others] = await readHistory(registry, 'user/name');
    expect(others).toEqual([]);
    expect(revision?.topHash).toBe(hash);
    expect([...(revision?.tags ?? [])].sort()).toEqual(['latest', 'v1.0']);
    expect(Math.abs((revision?.pushedAt.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
    for (const reference of [
      'user/name',
      'user/name:latest',
      'user/name:v1.0',
      `user/name@${hash}`,
    ]) {
      expect(await resolve(registry, reference)).toBe(hash);
    }
    expect(await resolve(registry, `user/name@${hash.slice(0, 6)}`)).toBe(hash);
    const read = await readPackage(registry, hash);
    expect(topHash(read)).toBe(hash);
    for (const { logicalKey, physicalKey } of read.entries) {
      const digest = digestOf(FILES[logicalKey as keyof typeof FILES]);
      expect(registry.addressOf(physicalKey)).toMatchObject({ key: objectKey(digest) });
    }
  });

  it('finds nothing under unknown names, tags and hashes, and says what it looked for', async () => {
    const registry = await fresh();
    await push(registry, samplePackage(FILES));
    for (const reference of [
      'user/unknown',
      'user/nam',
      'unknown/name',
      'user/name:unknown',
      `user/name@${'0'.repeat(64)}`,
      'user/name@000000',
    ]) {
      const error = await failureOf(resolve(registry, reference));
      expect(error).toMatchObject({ code: 'not-found' });
      expect(String(error)).toContain(reference);
    }
    await expect(readHistory(registry, 'user/nam')).rejects.toMatchObject({ code: 'not-found' });
    const absent = '0'.repeat(64) as TopHash;
    await expect(readPackage(registry, absent)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('has no packages while it is empty', async () => {
    const registry = await fresh();
    expect(await listPackages(registry)).toEqual([]);
    await expect(resolve(registry, 'user/name')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('takes a short hash only while it names one package of the name', async () => {
    const registry = await fresh();
    const [one, two] = findTwins().map((message) => samplePackage({}, message));
    if (one === undefined || two === undefined) throw new Error('no twins');
    const short = topHash(one.pkg).slice(0, 6);
    await push(registry, one, 'user/one');
    await push(registry, two, 'user/two');
    expect(await resolve(registry, `user/one@${short}`)).toBe(topHash(one.pkg));
    expect(await resolve(registry, `user/two@${short}`)).toBe(topHash(two.pkg));
    await push(registry, two, 'user/one');
    const error = await failureOf(resolve(registry, `user/one@${short}`));
    expect(error).toMatchObject({ code: 'not-found' });
    expect(String(error)).toContain(topHash(one.pkg));
    expect(String(error)).toContain(topHash(two.pkg));
    expect(await resolve(registry, `user/one@${topHash(two.pkg)}`)).toBe(topHash(two.pkg));
  });

  it('reads a pointer that another tool ended with a line end, and moves it', async () => {
    const registry = await fresh();
    const old = samplePackage(FILES, 'old');
    const hash = await plantPackage(registry, 'user/name', old.pkg);
    await plant(registry, pointerKey('user/name', 'latest'), `${hash}\n`);
    await plant(registry, pointerKey('user/name', '1700000000'), `${hash}\r\n`);
    expect(await resolve(registry, 'user/name')).toBe(hash);
    expect(await hashesOf(registry)).toEqual([hash]);
    const { topHash: next } = await push(registry, samplePackage(FILES, 'new'));
    expect(await hashesOf(registry)).toEqual([next, hash]);
  });

  it('refuses a pointer that holds something else', async () => {
    const registry = await fresh();
    await push(registry, samplePackage(FILES));
    for (const content of ['', 'x'.repeat(64), 'a'.repeat(63), 'a'.repeat(1_000_000)]) {
      await plant(registry, pointerKey('user/name', 'latest'), content);
      await expect(resolve(registry, 'user/name')).rejects.toMatchObject({ code: 'integrity' });
    }
  });
}
