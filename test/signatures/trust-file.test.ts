/** The file of the trust policy: read strictly, so that nothing in it is silently without effect. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  addTrust,
  NO_TRUST,
  parseTrustScope,
  type TrustedKey,
} from '../../src/signatures/trust.ts';
import { formatTrust, readTrust, writeTrust } from '../../src/signatures/trust-file.ts';
import { KEY_A, KEY_B } from '../support/signing-keys.ts';
import { temporaryFolder } from '../support/temporary.ts';

const keyOf = (key: typeof KEY_A, comment: string): TrustedKey => ({ ...key.publicKey, comment });
const first = addTrust(
  NO_TRUST,
  parseTrustScope('s3://b', 'ada/*'),
  keyOf(KEY_A, 'Ada'),
  'require',
);
const policy = addTrust(first, parseTrustScope('*', '*'), keyOf(KEY_B, ''), 'as-before');

async function readText(text: string) {
  const path = join(await temporaryFolder(), 'trust.json');
  await writeFile(path, text);
  return await readTrust(path);
}

describe('the trust file', () => {
  it('reads back to what was written, and is made with its folder', async () => {
    const path = join(await temporaryFolder(), 'config', 'trust.json');
    expect(await readTrust(path)).toEqual(NO_TRUST);
    await writeTrust(path, policy);
    const read = await readTrust(path);
    expect(formatTrust(read)).toBe(formatTrust(policy));
    expect(read.rules[1]?.keys[0]?.key.equals(KEY_A.publicKey.key)).toBe(true);
  });

  it('may be written by hand, in any order and with registries as people write them', async () => {
    const { pem, keyid } = KEY_A.publicKey;
    const keys = [{ keyid, publicKey: pem }];
    const rules = [
      { require: true, keys, name: 'ada/x', registry: 's3://b/' },
      { require: false, keys: [], name: '*', registry: '*' },
    ];
    const read = await readText(JSON.stringify({ rules, version: 1 }));
    expect(read.rules.map(({ name, registry }) => [name, registry])).toEqual([
      ['*', '*'],
      ['ada/x', 's3://b'],
    ]);
  });

  const { rules } = JSON.parse(formatTrust(policy)) as {
    rules: { keys: { keyid: string; publicKey: string }[] }[];
  };
  const [open, ada] = rules;
  const withKey = (change: object) => [
    { ...open, keys: [{ ...(open?.keys[0] ?? {}), ...change }] },
  ];

  it.each([
    ['no JSON', '{', 'it is not JSON'],
    ['another version', { version: 2, rules: [] }, 'version'],
    ['no rules', { version: 1 }, 'rules'],
    ['an unknown key', { version: 1, rules, expires: 1 }, 'expires'],
    ['an unknown key of a rule', { version: 1, rules: [{ ...ada, required: true }] }, 'rules.0'],
    [
      'no word on requiring',
      { version: 1, rules: [{ ...ada, require: undefined }] },
      'rules.0.require',
    ],
    ['the word "yes"', { version: 1, rules: [{ ...ada, require: 'yes' }] }, 'rules.0.require'],
    [
      'a name that is none',
      { version: 1, rules: [{ ...ada, name: 'ada*' }] },
      'rules.0: "ada*" names no packages',
    ],
    [
      'a registry that is none',
      { version: 1, rules: [{ ...ada, registry: 'ftp://x' }] },
      'rules.0: "ftp://x" is not the address',
    ],
    [
      'another id than the key has',
      { version: 1, rules: withKey({ keyid: KEY_A.publicKey.keyid }) },
      'rules.0.keys.0: keyid is not that of publicKey',
    ],
    [
      'a key that is none',
      { version: 1, rules: withKey({ publicKey: 'x' }) },
      'rules.0.keys.0: publicKey holds no public key',
    ],
    [
      'two rules of one scope',
      { version: 1, rules: [ada, open, { ...ada, registry: 's3://b//' }] },
      'rules.2: there are two rules about ada/* in s3://b',
    ],
  ])('with %s is refused, naming the file and the key', async (_what, content, where) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await expect(readText(text)).rejects.toMatchObject({ code: 'usage' });
    await expect(readText(text)).rejects.toThrow(`trust.json is not a trust policy: ${where}`);
  });
});
