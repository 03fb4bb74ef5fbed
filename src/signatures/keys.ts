/** Ed25519 keys: pairs of them in files, and the id by which a key is known. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { link, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { makeFolder, readIfPresent, withTemporaryFile } from '../store/atomic-file.ts';
import { type Digest, digestOf } from '../store/digest.ts';

export interface PublicKey {
  /** SHA-256 of the key's SubjectPublicKeyInfo in DER (RFC 8410). */
  readonly keyid: Digest;
  readonly key: KeyObject;
  /** The SubjectPublicKeyInfo as PEM, in the one spelling that OpenSSL gives it. */
  readonly pem: string;
}

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKey;
}

/** A key pair as files of a folder. */
export interface KeyFiles {
  readonly name: string;
  readonly keyid: Digest;
  /** The PKCS #8 PEM that only its owner may read; undefined where the folder has the public key alone. */
  readonly privatePath: string | undefined;
  readonly publicPath: string;
}

const PRIVATE_EXTENSION = '.key';
const PUBLIC_EXTENSION = '.pub';

const NAME_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Far above any Ed25519 key, with comments around it. */
const MAX_KEY_FILE_BYTES = 16 * 1024;

const OWNER_ONLY = 0o600;
const READABLE = 0o644;
const OTHERS = 0o077;

/**
 * Makes a key pair in `folder`, which is made where it is absent: `<name>.key`, which only its owner may
 * read, and `<name>.pub`.
 * @throws PkgError `usage` where the name is none, or where the folder has a key of that name.
 */
export async function generateKey(folder: string, name: string): Promise<KeyFiles> {
  const [privatePath, publicPath] = keyPaths(folder, name);
  await makeFolder(folder);
  for (const path of [privatePath, publicPath]) {
    if ((await readIfPresent(path)) !== undefined) throw takenName(path);
  }
  const pair = generateKeyPairSync('ed25519');
  const { keyid, pem } = publicKeyOf(pair.publicKey);
  const secret = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeNewFile(folder, privatePath, secret.toString(), OWNER_ONLY);
  await writeNewFile(folder, publicPath, pem, READABLE);
  return { name, keyid, privatePath, publicPath };
}

/** The key pairs and public keys of a folder, by name; none where there is no folder. */
export async function listKeys(folder: string): Promise<readonly KeyFiles[]> {
  const files = new Set(await filesOf(folder));
  const keys: KeyFiles[] = [];
  for (const file of [...files].sort()) {
    if (!file.endsWith(PUBLIC_EXTENSION)) continue;
    const name = file.slice(0, -PUBLIC_EXTENSION.length);
    if (!NAME_PATTERN.test(name)) continue;
    const [privatePath, publicPath] = keyPaths(folder, name);
    const { keyid } = await readPublicKey(publicPath);
    const isPair = files.has(`${name}${PRIVATE_EXTENSION}`);
    keys.push({ name, keyid, privatePath: isPair ? privatePath : undefined, publicPath });
  }
  return keys;
}

/** Reads the private key of that name in `folder`, or the one in a file where a path is given. */
export async function findSigningKey(
  runtime: Runtime,
  folder: string,
  nameOrPath: string,
): Promise<SigningKey> {
  const isPath = /[\\/]/.test(nameOrPath) || nameOrPath.endsWith(PRIVATE_EXTENSION);
  return await readSigningKey(runtime, isPath ? nameOrPath : keyPaths(folder, nameOrPath)[0]);
}

/**
 * Reads a private key from a PKCS #8 PEM file, and warns where others than its owner may read it.
 * @throws PkgError `not-found`, or `usage` where the file holds no Ed25519 private key.
 */
export async function readSigningKey(runtime: Runtime, path: string): Promise<SigningKey> {
  const text = await readKeyFile(path, 'Make a key with: pkg keys generate NAME');
  const fail = (why: string, cause?: unknown) =>
    new PkgError('usage', `${path} holds no key to sign with: ${why}`, {
      hint: 'Private keys are Ed25519 in PKCS #8 PEM, as pkg keys generate writes them.',
      cause,
    });
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(text);
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw fail(`it is ${kindOf(privateKey)}`);
  if (((await stat(path)).mode & OTHERS) !== 0) {
    const message = `${path} is a private key that others can read; close it with: chmod 600 ${path}`;
    runtime.report({ kind: 'warned', message });
  }
  return { privateKey, publicKey: publicKeyOf(createPublicKey(privateKey)) };
}

/**
 * Reads a public key from a SubjectPublicKeyInfo PEM file.
 * @throws PkgError `not-found`, or `usage` where the file holds no Ed25519 public key.
 */
export async function readPublicKey(path: string): Promise<PublicKey> {
  return parsePublicKey(await readKeyFile(path, 'Name the .pub file of a key.'), path);
}

/**
 * A public key from its PEM text; `source` is what messages call it.
 * @throws PkgError `usage` for anything but one Ed25519 key as SubjectPublicKeyInfo.
 */
export function parsePublicKey(text: string, source: string): PublicKey {
  const fail = (why: string, cause?: unknown) =>
    new PkgError('usage', `${source} holds no public key: ${why}`, {
      hint: 'Public keys are Ed25519 in PEM, as pkg keys generate writes them into the .pub file.',
      cause,
    });
  // Node would take private keys and certificates as well, and find a public key in them.
  const kinds = [...text.matchAll(/-----BEGIN ([^-]*)-----/g)].map(([, kind]) => kind);
  if (kinds.length !== 1) throw fail(`it has ${String(kinds.length)} PEM blocks instead of one`);
  if (kinds[0] !== 'PUBLIC KEY') throw fail(`it is "${kinds[0] ?? ''}"`);
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw fail(`it is ${kindOf(key)}`);
  return publicKeyOf(key);
}

function publicKeyOf(key: KeyObject): PublicKey {
  const keyid = digestOf(key.export({ type: 'spki', format: 'der' }));
  return { keyid, key, pem: key.export({ type: 'spki', format: 'pem' }).toString() };
}

function kindOf(key: KeyObject): string {
  return `a key for ${key.asymmetricKeyType ?? 'a secret'}, not for ed25519`;
}

function keyPaths(
  folder: string,
  name: string,
): readonly [privatePath: string, publicPath: string] {
  if (!NAME_PATTERN.test(name)) {
    throw new PkgError('usage', `${JSON.stringify(name)} is not a name for a key`, {
      hint: 'Names are letters, digits, ".", "_" and "-", and do not begin with ".".',
    });
  }
  const path = join(folder, name);
  return [`${path}${PRIVATE_EXTENSION}`, `${path}${PUBLIC_EXTENSION}`];
}

async function readKeyFile(path: string, hint: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_KEY_FILE_BYTES) {
      throw new PkgError('usage', `${path} is no key: it has ${String(size)} bytes`, { hint });
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw storageError(error, `cannot read ${path}`);
  }
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new PkgError('not-found', `there is no key ${path}`, { hint });
  return bytes.toString('utf8');
}

/** Writes a file that nobody sees in part, and that takes no other file's place. */
async function writeNewFile(
  folder: string,
  path: string,
  text: string,
  mode: number,
): Promise<void> {
  await withTemporaryFile(folder, async (temporaryPath) => {
    const file = await open(temporaryPath, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(temporaryPath, path);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') throw takenName(path);
      throw error;
    }
    await rm(temporaryPath);
  });
}

function takenName(path: string): PkgError {
  return new PkgError('usage', `${path} is there already, and keys are never overwritten`, {
    hint: 'Choose another name.',
  });
}

async function filesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw storageError(error, `cannot read ${folder}`);
  }
}
