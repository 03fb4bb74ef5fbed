/** Sweeps, tags and removals on a real S3 server. */
import { expect, it } from 'vitest';
import { POLICIES, writeSettings } from '../../src/objects/settings.ts';
import type { TopHash } from '../../src/package/package.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { ALWAYS, IF_ABSENT } from '../../src/storage/storage.ts';
import { uploadOf } from '../../src/storage/whole-content.ts';
import { removeRevision, tagRevision, untag } from '../../src/sweep/removal.ts';
import { S3_BINARY, S3_KIND, withS3Server } from '../storage/s3-server.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, noise } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { expectWhole, keysOf, numbered, pushFiles, sweep } from './swept-registries.ts';

describeWith(`the S3 server ${S3_KIND}`, S3_BINARY)(`a bucket on ${S3_KIND} that is swept`, () => {
  const server = withS3Server();

  it.each(POLICIES)('keeps what is named and loses the rest, under %s', async (policy) => {
    const registry = await server().open(await server().makeBucket());
    await writeSettings(registry, { policy, looseObjects: false }, IF_ABSENT);
    const gone = await pushFiles(registry, { ...numbered(0, 60), big: noise(9 << 20, 1) });
    const files: Files = { ...numbered(0, 12), big: noise(9 << 20, 2) };
    const kept: TopHash = await pushFiles(registry, files);
    await registry.write('user/name/theirs', await uploadOf(Buffer.from('theirs')), ALWAYS);
    const reference = parseReference(`user/name@${gone}`);
    await tagRevision(testRuntime(), registry, reference, 'old');
    const refused = removeRevision(testRuntime(), registry, reference, {
      force: false,
      mode: 'remove',
    });
    await expect(refused).rejects.toMatchObject({ code: 'usage' });
    await untag(registry, 'user/name', 'old');
    await removeRevision(testRuntime(), registry, reference, { force: false, mode: 'remove' });
    const counted = await sweep(registry, { mode: 'count' });
    const before = await keysOf(registry);
    const done = await sweep(registry);
    expect(done.removed).toEqual(counted.removed);
    expect(done.removed.lists.count).toBe(1);
    expect((await keysOf(registry)).length).toBeLessThan(before.length);
    expect(await keysOf(registry, 'user/')).toEqual(['user/name/theirs']);
    expect(await keysOf(registry, '.pkg/leases/')).toEqual([]);
    await expectWhole(registry, kept, files);
    const again = await sweep(registry);
    for (const { count } of Object.values(again.removed)) expect(count).toBe(0);
    await expectWhole(registry, kept, files);
  });
});
