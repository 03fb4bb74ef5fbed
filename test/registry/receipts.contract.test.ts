/** Receipts and build records in a folder, and in a bucket on a real S3 server. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { receiptCheck } from '../../src/installation/receipt-check.ts';
import { attestationPrefix } from '../../src/objects/layout.ts';
import { parseTopHash } from '../../src/package/package.ts';
import { readAttestations } from '../../src/registry/attestations.ts';
import { writeReceipt } from '../../src/registry/receipts.ts';
import { addTrust, NO_TRUST, parseTrustScope } from '../../src/signatures/trust.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { digestOf } from '../../src/store/digest.ts';
import { plant } from '../inspection/registries.ts';
import { S3_BINARY, S3_KIND, withS3Server } from '../storage/s3-server.ts';
import { sameReceipt } from '../support/receipts.ts';
import { testRuntime } from '../support/runtime.ts';
import { describeWith } from '../support/shared.ts';
import { KEY_A } from '../support/signing-keys.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { receiptsContract } from './receipts-contract.ts';

const folder = async () => new DirectoryStorage(testRuntime(), await temporaryFolder());

describe('receipts in a folder', () => receiptsContract(folder));

describeWith(`the S3 server ${S3_KIND}`, S3_BINARY)(`receipts in a bucket on ${S3_KIND}`, () => {
  const server = withS3Server();
  receiptsContract(async () => await server().open(await server().makeBucket()));
});

describe('a flood of attestations', () => {
  it('is not read to its end, and nothing is taken for certain then', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryStorage(testRuntime(), root);
    const release = { name: 'user/name', topHash: parseTopHash('a'.repeat(64)) };
    await writeReceipt(registry, release, sameReceipt(), KEY_A);
    const prefix = attestationPrefix(release.topHash);
    const large = 'x'.repeat(2 << 20);
    await plant(registry, `${prefix}${digestOf(large)}.json`, large);
    const key = { ...KEY_A.publicKey, comment: '' };
    const policy = addTrust(NO_TRUST, parseTrustScope('*', '*'), key, 'as-before');
    const check = receiptCheck(registry, policy, { needed: 1, access: 'online' });
    await check(release);
    for (let number = 0; number < 1100; number++) {
      await writeFile(join(root, prefix, `${digestOf(String(number))}.json`), String(number));
    }
    await expect(check(release)).rejects.toThrow('too many attestations beside user/name@');
    const { found, isWhole } = await readAttestations(registry, release.topHash, (text) => text);
    expect(isWhole).toBe(false);
    expect(found).toHaveLength(1024);
  });
});
