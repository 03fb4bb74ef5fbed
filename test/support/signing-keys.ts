/** Keys for tests of signatures: those of RFC 8032, and fresh ones. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { parsePublicKey, type SigningKey } from '../../src/signatures/keys.ts';

/** The fixed beginning of an Ed25519 private key in PKCS #8 DER, RFC 8410, section 7. */
const PKCS8_PREFIX = '302e020100300506032b657004220420';

/** The secret keys of RFC 8032, section 7.1, TEST 1 and TEST 2. */
const RFC_8032_SEEDS = [
  '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
];

export const [KEY_A, KEY_B] = RFC_8032_SEEDS.map((seed) =>
  signingKey(
    createPrivateKey({
      key: Buffer.from(`${PKCS8_PREFIX}${seed}`, 'hex'),
      format: 'der',
      type: 'pkcs8',
    }),
  ),
) as [SigningKey, SigningKey];

export function freshKey(): SigningKey {
  return signingKey(generateKeyPairSync('ed25519').privateKey);
}

function signingKey(privateKey: KeyObject): SigningKey {
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, publicKey: parsePublicKey(pem, 'test key') };
}
