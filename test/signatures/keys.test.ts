/** Key files: made once, never overwritten, closed to others, and nothing else taken for a key. */
import { generateKeyPairSync } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findSigningKey,
  generateKey,
  listKeys,
  parsePublicKey,
  readPublicKey,
  readSigningKey,
} from '../../src/signatures/keys.ts';
import { digestOf } from '../../src/store/digest.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

describe('generateKey', () => {
  it('writes a pair that belongs together, the private half for its owner alone', async () => {
    const folder = join(await temporaryFolder(), 'config', 'keys');
    const made = await generateKey(folder, 'ada.2-x_Y');
    expect(await readdir(folder)).toEqual(['ada.2-x_Y.key', 'ada.2-x_Y.pub']);
    expect((await stat(join(folder, 'ada.2-x_Y.key'))).mode & 0o777).toBe(0o600);
    const runtime = testRuntime();
    const signing = await readSigningKey(runtime, made.privatePath ?? '');
    expect(signing.publicKey.keyid).toBe(made.keyid);
    expect((await readPublicKey(made.publicPath)).keyid).toBe(made.keyid);
    expect(runtime.events).toEqual([]);
  });

  it('knows a key by the SHA-256 of its SubjectPublicKeyInfo', async () => {
    const { keyid, publicPath } = await generateKey(await temporaryFolder(), 'k');
    const lines = (await readFile(publicPath, 'utf8')).split('\n');
    expect(lines[0]).toBe('-----BEGIN PUBLIC KEY-----');
    expect(digestOf(Buffer.from(lines[1] ?? '', 'base64'))).toBe(keyid);
  });

  it.each(['.key', '.pub'])('leaves a %s file that is there as it is', async (extension) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, `k${extension}`), 'precious');
    await expect(generateKey(folder, 'k')).rejects.toMatchObject({
      code: 'usage',
      message: `${join(folder, `k${extension}`)} is there already, and keys are never overwritten`,
    });
    expect(await readdir(folder)).toEqual([`k${extension}`]);
    expect(await readFile(join(folder, `k${extension}`), 'utf8')).toBe('precious');
  });

  it('makes one pair where two ask for the same name at once', async () => {
    const folder = await temporaryFolder();
    const made = await Promise.allSettled([1, 2, 3, 4].map(() => generateKey(folder, 'k')));
    const winners = made.filter(({ status }) => status === 'fulfilled');
    expect(winners).toHaveLength(1);
    const signing = await findSigningKey(testRuntime(), folder, 'k');
    expect((await readPublicKey(join(folder, 'k.pub'))).keyid).toBe(signing.publicKey.keyid);
    expect(await readdir(folder)).toEqual(['k.key', 'k.pub']);
  });

  it.each(['', '.', '..', '.k', 'a/b', 'a\\b', 'a b', 'é', 'a\0'])(
    'refuses %j as a name',
    async (name) => {
      const folder = await temporaryFolder();
      await expect(generateKey(folder, name)).rejects.toMatchObject({ code: 'usage' });
      expect(await readdir(folder)).toEqual([]);
    },
  );
});

describe('listKeys', () => {
  it('says nothing of a folder that is not there', async () => {
    expect(await listKeys(join(await temporaryFolder(), 'none'))).toEqual([]);
  });

  it('lists pairs and lone public keys by name, and passes over other files', async () => {
    const folder = await temporaryFolder();
    const b = await generateKey(folder, 'b');
    const a = await generateKey(folder, 'a');
    await rm(join(folder, 'a.key'));
    await writeFile(join(folder, 'notes.txt'), 'mine');
    expect(await listKeys(folder)).toEqual([{ ...a, privatePath: undefined }, b]);
  });

  it('names a file that holds no key', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'k.pub'), 'no key');
    await expect(listKeys(folder)).rejects.toThrow(`${join(folder, 'k.pub')} holds no public key`);
  });
});

describe('readSigningKey', () => {
  it.each([0o640, 0o604, 0o620])('warns where the mode is %o', async (mode) => {
    const folder = await temporaryFolder();
    await generateKey(folder, 'k');
    const path = join(folder, 'k.key');
    await chmod(path, mode);
    const runtime = testRuntime();
    await readSigningKey(runtime, path);
    const message = `${path} is a private key that others can read; close it with: chmod 600 ${path}`;
    expect(runtime.events).toEqual([{ kind: 'warned', message }]);
  });

  it('refuses what is absent, too large, no key, another kind of key or half a pair', async () => {
    const folder = await temporaryFolder();
    const { publicPath } = await generateKey(folder, 'k');
    const path = join(folder, 'other.key');
    const read = () => findSigningKey(testRuntime(), folder, path);
    await expect(read()).rejects.toMatchObject({ code: 'not-found' });
    await writeFile(path, '');
    await expect(read()).rejects.toMatchObject({ code: 'usage' });
    await writeFile(path, ' '.repeat(20_000));
    await expect(read()).rejects.toThrow('it has 20000 bytes');
    const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    await writeFile(path, rsa.export({ type: 'pkcs8', format: 'pem' }));
    await expect(read()).rejects.toThrow('it is a key for ec, not for ed25519');
    await expect(readSigningKey(testRuntime(), publicPath)).rejects.toMatchObject({
      code: 'usage',
    });
    await expect(readSigningKey(testRuntime(), folder)).rejects.toThrow();
  });
});

describe('parsePublicKey', () => {
  it('takes a key in any PEM layout, and spells it in one', async () => {
    const { publicPath, keyid } = await generateKey(await temporaryFolder(), 'k');
    const pem = await readFile(publicPath, 'utf8');
    const parsed = parsePublicKey(`a note\r\n${pem.replaceAll('\n', '\r\n')}`, 'it');
    expect(parsed).toMatchObject({ keyid, pem });
  });

  it('refuses private keys, several keys, other kinds of key and text', async () => {
    const folder = await temporaryFolder();
    await generateKey(folder, 'k');
    const secret = await readFile(join(folder, 'k.key'), 'utf8');
    const pem = await readFile(join(folder, 'k.pub'), 'utf8');
    expect(() => parsePublicKey(secret, 'it')).toThrow('it is "PRIVATE KEY"');
    expect(() => parsePublicKey(pem + pem, 'it')).toThrow('it has 2 PEM blocks instead of one');
    expect(() => parsePublicKey('ssh-ed25519 AAAA', 'it')).toThrow('it has 0 PEM blocks');
    const other = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' });
    expect(() => parsePublicKey(other.toString(), 'it')).toThrow('it is a key for x25519');
    const cut = pem.replace(/\n.{8}/, '\n');
    expect(() => parsePublicKey(cut, 'it')).toThrow('it holds no public key');
  });
});
