/** The contract of receipts and build records: whose word counts, for what, and what is passed over. */
import { expect, it } from 'vitest';
import { type ReceiptNeed, receiptCheck } from '../../src/installation/receipt-check.ts';
import { attestationPrefix } from '../../src/objects/layout.ts';
import { writeSettings } from '../../src/objects/settings.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { aboutRevision } from '../../src/registry/about-revision.ts';
import { writeBuildRecord } from '../../src/registry/build-records.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { readReceipts, writeReceipt } from '../../src/registry/receipts.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { requireSignature, writeSignature } from '../../src/registry/signed-revisions.ts';
import { formatEnvelope, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from '../../src/signatures/dsse.ts';
import type { SigningKey } from '../../src/signatures/keys.ts';
import { formatReceiptStatement, type Receipt, signReceipt } from '../../src/signatures/receipt.ts';
import type { Release } from '../../src/signatures/signatures.ts';
import {
  addTrust,
  NO_TRUST,
  parseTrustScope,
  type TrustPolicy,
} from '../../src/signatures/trust.ts';
import { IF_ABSENT, type Storage } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { findings, plant } from '../inspection/registries.ts';
import { buildRecord } from '../support/build-records.ts';
import { differingReceipt, sameReceipt } from '../support/receipts.ts';
import { testRuntime } from '../support/runtime.ts';
import { samplePackage } from '../support/sample-packages.ts';
import { freshKey } from '../support/signing-keys.ts';
import { sweep } from '../sweep/swept-registries.ts';

const [ADA, BOB, EVE, STRANGER] = [freshKey(), freshKey(), freshKey(), freshKey()];
const BUILDERS = { ada: ADA, bob: BOB, eve: EVE };

/** Trust in Ada, Bob and Eve, for some names. */
function trustFor(name = '*'): TrustPolicy {
  return Object.entries(BUILDERS).reduce(
    (policy, [comment, { publicKey }]) =>
      addTrust(policy, parseTrustScope('*', name), { ...publicKey, comment }, 'as-before'),
    NO_TRUST,
  );
}

const idOf = ({ publicKey }: SigningKey) => publicKey.keyid;

/** Pushes a revision whose files tell it from others. */
async function pushed(
  registry: Storage,
  { name = 'user/name', text = 'one', second = 1_750_000_000 } = {},
): Promise<Release> {
  const { pkg, open } = samplePackage({ 'a.txt': text, 'b/c.txt': 'cc' });
  const system = testRuntime();
  const runtime = { ...system, clock: { ...system.clock, now: () => second * 1000 } };
  const release = { name, topHash: topHash(pkg) };
  const attest = () => writeSignature(registry, release, pkg, [ADA]);
  await pushPackage(runtime, registry, pkg, { name, open, tag: undefined, attest });
  return release;
}

/** What the check says: nothing where it passes, else the message. */
async function refusal(
  registry: Storage,
  release: Release,
  needed: number,
  policy = trustFor(),
  access: ReceiptNeed['access'] = 'online',
): Promise<string> {
  try {
    await receiptCheck(registry, policy, { needed, access })(release);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: access === 'online' ? 'integrity' : 'unreachable' });
    return error instanceof Error ? error.message : '';
  }
}

export function receiptsContract(fresh: () => Promise<Storage>): void {
  const setUp = async () => {
    const registry = await fresh();
    await writeSettings(registry, { policy: 'packs', looseObjects: false }, IF_ABSENT);
    const release = await pushed(registry);
    const say = async (key: SigningKey, receipt: Receipt) =>
      await writeReceipt(registry, release, receipt, key);
    return { registry, release, say };
  };

  it('lets a revision pass that as many trusted keys as are needed found the same', async () => {
    const { registry, release, say } = await setUp();
    expect(await refusal(registry, release, 1)).toBe(
      `${release.name}@${release.topHash} has receipts of 0 trusted keys, and 1 is required`,
    );
    for (const [index, key] of Object.values(BUILDERS).entries()) {
      await say(key, sameReceipt({ arch: index === 0 ? 'x64' : 'arm64' }));
      expect(await refusal(registry, release, index + 1)).toBe('');
      expect(await refusal(registry, release, index + 2)).toContain(
        `and ${String(index + 2)} are required`,
      );
    }
  });

  it('refuses where one of three says the same and two say that it differs', async () => {
    const { registry, release, say } = await setUp();
    await say(EVE, sameReceipt());
    await say(ADA, differingReceipt());
    await say(BOB, differingReceipt());
    for (const needed of [1, 2, 3]) {
      const message = await refusal(registry, release, needed);
      expect(message).toMatch(/came out different when key [0-9a-f]{64} \((?:ada|bob)\) built it/);
      expect(message).toContain('first in step "train" at "models/weights.bin"');
      expect(message).toContain('though 1 trusted key found all of it the same');
    }
  });

  it('refuses where two of three say the same and one says that it differs', async () => {
    const { registry, release, say } = await setUp();
    await say(ADA, sameReceipt());
    await say(BOB, sameReceipt());
    expect(await refusal(registry, release, 2)).toBe('');
    await say(EVE, differingReceipt({ firstDifference: { step: 'crop' } }));
    for (const needed of [1, 2, 3]) {
      expect(await refusal(registry, release, needed)).toBe(
        `${release.name}@${release.topHash} came out different when key ${idOf(EVE)} (eve) built it ` +
          'again, first in step "crop", though 2 trusted keys found all of it the same',
      );
    }
    const withoutEve = {
      rules: trustFor().rules.map((rule) => ({
        ...rule,
        keys: rule.keys.filter(({ keyid }) => keyid !== idOf(EVE)),
      })),
    };
    expect(await refusal(registry, release, 2, withoutEve)).toBe('');
    expect(await refusal(registry, release, 3, withoutEve)).toContain(
      'has receipts of 2 trusted keys, and 3 are required; others do not count: 1 by keys that are not trusted',
    );
  });

  it('counts a key once, however often it signed, and believes its worse word', async () => {
    const { registry, release, say } = await setUp();
    for (const node of ['20.20.2', '22.23.3', '24.21.0']) await say(ADA, sameReceipt({ node }));
    const twice = signReceipt({ release, receipt: sameReceipt({ node: '26.0.0' }) }, [ADA, ADA]);
    const text = formatEnvelope(twice);
    await plant(registry, `${attestationPrefix(release.topHash)}${digestOf(text)}.json`, text);
    expect(await refusal(registry, release, 1)).toBe('');
    expect(await refusal(registry, release, 2)).toContain('receipts of 1 trusted key, and 2');
    await say(ADA, differingReceipt({ node: '26.0.0' }));
    expect(await refusal(registry, release, 1)).toContain(`key ${idOf(ADA)} (ada)`);
  });

  it('does not count what is the same of the data alone, and hears what differs in it', async () => {
    const { registry, release, say } = await setUp();
    await say(ADA, sameReceipt({ scope: 'data' }));
    expect(await refusal(registry, release, 1)).toContain(
      'receipts of 0 trusted keys, and 1 is required; others do not count: 1 about its data alone',
    );
    await say(BOB, sameReceipt());
    expect(await refusal(registry, release, 1)).toBe('');
    await say(EVE, differingReceipt({ scope: 'data', firstDifference: undefined }));
    expect(await refusal(registry, release, 1)).toContain(
      `key ${idOf(EVE)} (eve) built it again, though`,
    );
  });

  it('passes over receipts about another revision or name', async () => {
    const { registry, release } = await setUp();
    const other = await pushed(registry, { text: 'two', second: 1_750_000_100 });
    const namesake = await pushed(registry, { name: 'user/other' });
    expect(namesake.topHash).toBe(release.topHash);
    for (const about of [other, namesake]) {
      for (const receipt of [sameReceipt(), differingReceipt()]) {
        const text = formatEnvelope(signReceipt({ release: about, receipt }, [ADA]));
        await plant(registry, `${attestationPrefix(release.topHash)}${digestOf(text)}.json`, text);
      }
    }
    expect(await refusal(registry, release, 1)).toContain('receipts of 0 trusted keys, and 1');
    expect(await refusal(registry, namesake, 1)).toContain(`key ${idOf(ADA)} (ada)`);
    expect(await refusal(registry, other, 1)).toContain('receipts of 0 trusted keys, and 1');
  });

  it('passes over receipts by strangers, whatever key they name', async () => {
    const { registry, release, say } = await setUp();
    await say(STRANGER, differingReceipt());
    const payload = formatReceiptStatement({ release, receipt: sameReceipt() });
    const signed = signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, [STRANGER]);
    const [signature] = signed.signatures;
    const claims = { keyid: idOf(ADA), sig: signature?.sig ?? Buffer.alloc(0) };
    const text = formatEnvelope({ ...signed, signatures: [claims] });
    await plant(registry, `${attestationPrefix(release.topHash)}${digestOf(text)}.json`, text);
    expect(await refusal(registry, release, 1)).toContain(
      'receipts of 0 trusted keys, and 1 is required; others do not count: 2 by keys that are not trusted',
    );
    expect(await refusal(registry, release, 1, trustFor('user/other'))).toContain('0 trusted keys');
    const { receipts } = await aboutRevision(registry, parseReference('user/name'), trustFor());
    expect(receipts.map(({ signers }) => signers).flat()).toEqual(
      expect.arrayContaining([
        { keyid: idOf(STRANGER), standing: 'unknown', comment: '' },
        { keyid: idOf(ADA), standing: 'forged', comment: '' },
      ]),
    );
  });

  it('passes over what was tampered with, and over what is no receipt', async () => {
    const { registry, release, say } = await setUp();
    const key = await say(ADA, differingReceipt());
    const prefix = attestationPrefix(release.topHash);
    const differs = formatReceiptStatement({ release, receipt: differingReceipt() }).toString();
    const envelope = signReceipt({ release, receipt: differingReceipt() }, [ADA]);
    const same = formatReceiptStatement({ release, receipt: sameReceipt() });
    await plant(registry, key, formatEnvelope({ ...envelope, payload: same }));
    const hostile = [
      '',
      '{}',
      'null',
      '['.repeat(500_000),
      'x'.repeat(2 << 20),
      differs,
      formatEnvelope({ ...envelope, payloadType: 'text/plain' }),
      JSON.stringify({ payload: '', payloadType: IN_TOTO_PAYLOAD_TYPE, signatures: [] }),
    ];
    for (const text of hostile) await plant(registry, `${prefix}${digestOf(text)}.json`, text);
    await plant(registry, `${prefix}stray`, 'stray');
    expect(await refusal(registry, release, 1)).toContain('receipts of 0 trusted keys, and 1');
    await say(BOB, sameReceipt());
    expect(await refusal(registry, release, 1)).toBe('');
  });

  it('asks no registry offline, and refuses', async () => {
    const { registry, release, say } = await setUp();
    await say(ADA, sameReceipt());
    const before = registry.requests;
    expect(await refusal(registry, release, 1, trustFor(), 'offline')).toBe(
      'the receipts of user/name cannot be checked offline',
    );
    expect(registry.requests).toBe(before);
  });

  it('stands there once for the same outcome by the same key', async () => {
    const { registry, release, say } = await setUp();
    expect(await say(ADA, sameReceipt())).toBe(await say(ADA, sameReceipt()));
    const { found, isWhole } = await readReceipts(registry, release, [ADA.publicKey]);
    expect({ found, isWhole }).toEqual({
      isWhole: true,
      found: [{ receipt: sameReceipt(), keyids: [idOf(ADA)], claimedKeyids: [idOf(ADA)] }],
    });
  });

  it('shows all that is said of a revision, and by whom', async () => {
    const { registry, release, say } = await setUp();
    await say(BOB, sameReceipt());
    await writeBuildRecord(registry, release, buildRecord(), []);
    await writeBuildRecord(registry, release, buildRecord({ workers: 2 }), [EVE]);
    const other = { ...release, name: 'user/other' };
    await writeBuildRecord(registry, other, buildRecord({ workers: 3 }), []);
    const about = await aboutRevision(registry, parseReference('user/name'), trustFor());
    const signer = (key: SigningKey, comment: string) => ({
      keyid: idOf(key),
      standing: 'trusted',
      comment,
    });
    expect(about).toMatchObject({ ...release, entries: 2, sizeBytes: 5, allRead: true });
    expect(about.signatures).toEqual([{ signers: [signer(ADA, 'ada')] }]);
    expect(about.receipts).toEqual([{ signers: [signer(BOB, 'bob')], receipt: sameReceipt() }]);
    expect(about.builds).toHaveLength(2);
    expect(about.builds).toEqual(
      expect.arrayContaining([
        { signers: [], signed: false, record: buildRecord() },
        { signers: [signer(EVE, 'eve')], signed: true, record: buildRecord({ workers: 2 }) },
      ]),
    );
    await expect(aboutRevision(registry, parseReference('user/none'), NO_TRUST)).rejects.toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });

  it('keeps receipts and bare records like any attestation: checked, no signature, swept', async () => {
    const { registry, release, say } = await setUp();
    const receipt = await say(BOB, sameReceipt());
    const record = await writeBuildRecord(registry, release, buildRecord(), []);
    expect(await findings(registry)).toEqual([]);
    const keys = [BOB.publicKey, EVE.publicKey];
    await expect(requireSignature(registry, release, keys)).rejects.toThrow(
      'has no signature by a trusted key',
    );
    await plant(registry, record, '{}');
    expect(await findings(registry)).toMatchObject([{ kind: 'changed', key: record }]);
    await writeBuildRecord(registry, release, buildRecord(), []);
    expect(await findings(registry)).toEqual([]);

    const next = await pushed(registry, { text: 'two', second: 1_750_000_100 });
    const kept = await writeBuildRecord(registry, next, buildRecord(), []);
    const retention = { keepLast: 1, keepTagged: true, names: [] };
    const { removed } = await sweep(registry, { retention });
    expect(removed.attestations.count).toBe(3);
    for (const gone of [receipt, record])
      expect(await registry.head({ key: gone })).toBe(undefined);
    expect(await registry.head({ key: kept })).toBeDefined();
    expect(await findings(registry)).toEqual([]);
  });
}
