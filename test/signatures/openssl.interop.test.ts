/** What we sign, OpenSSL bears out; what OpenSSL makes and signs, we do. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  IN_TOTO_PAYLOAD_TYPE,
  preAuthEncoding,
  signEnvelope,
  verifyEnvelope,
} from '../../src/signatures/dsse.ts';
import { generateKey, readPublicKey, readSigningKey } from '../../src/signatures/keys.ts';
import { testRuntime } from '../support/runtime.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

const PAYLOAD = Buffer.from('{"é":1}');

/** OpenSSL 3 signs with Ed25519; LibreSSL and older ones do not. */
function findOpenssl(): string | undefined {
  const { stdout, error } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  if (error !== undefined || !/^OpenSSL [3-9]/.test(stdout)) return undefined;
  return spawnSync('which', ['openssl'], { encoding: 'utf8' }).stdout.trim();
}

function openssl(folder: string, ...args: readonly string[]) {
  const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  return { status, stderr };
}

describeWith('OpenSSL 3', findOpenssl())('OpenSSL', () => {
  it('bears out our signatures with the public key that we wrote, and no changed ones', async () => {
    const folder = await temporaryFolder();
    const { privatePath } = await generateKey(folder, 'k');
    const signing = await readSigningKey(testRuntime(), privatePath ?? '');
    const { signatures } = signEnvelope(IN_TOTO_PAYLOAD_TYPE, PAYLOAD, [signing]);
    await writeFile(join(folder, 'sig'), signatures[0]?.sig ?? '');
    await writeFile(join(folder, 'signed'), preAuthEncoding(IN_TOTO_PAYLOAD_TYPE, PAYLOAD));
    await writeFile(
      join(folder, 'changed'),
      preAuthEncoding(IN_TOTO_PAYLOAD_TYPE, Buffer.alloc(8)),
    );
    const verify = (file: string) =>
      openssl(
        folder,
        ...['pkeyutl', '-verify', '-pubin', '-inkey', 'k.pub', '-rawin'],
        ...['-in', file, '-sigfile', 'sig'],
      );
    expect(verify('signed')).toEqual({ status: 0, stderr: '' });
    expect(verify('changed').status).not.toBe(0);
  });

  it('makes keys that we read under the same id, and signatures that we bear out', async () => {
    const folder = await temporaryFolder();
    expect(openssl(folder, 'genpkey', '-algorithm', 'ed25519', '-out', 'o.key').status).toBe(0);
    expect(openssl(folder, 'pkey', '-in', 'o.key', '-pubout', '-out', 'o.pub').status).toBe(0);
    const publicKey = await readPublicKey(join(folder, 'o.pub'));
    const signing = await readSigningKey(testRuntime(), join(folder, 'o.key'));
    expect(signing.publicKey.keyid).toBe(publicKey.keyid);
    await writeFile(join(folder, 'signed'), preAuthEncoding(IN_TOTO_PAYLOAD_TYPE, PAYLOAD));
    const sign = ['pkeyutl', '-sign', '-inkey', 'o.key', '-rawin', '-in', 'signed', '-out', 'sig'];
    expect(openssl(folder, ...sign).status).toBe(0);
    const sig = await readFile(join(folder, 'sig'));
    const envelope = { payloadType: IN_TOTO_PAYLOAD_TYPE, payload: PAYLOAD };
    const signatures = [{ keyid: undefined, sig }];
    expect(verifyEnvelope({ ...envelope, signatures }, [publicKey])).toEqual([publicKey.keyid]);
    expect(signEnvelope(IN_TOTO_PAYLOAD_TYPE, PAYLOAD, [signing]).signatures[0]?.sig).toEqual(sig);
  });
});
