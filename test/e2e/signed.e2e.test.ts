/** Signed packages at the command line: who is trusted, what is refused, and proofs of single files. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

const FILES = Object.fromEntries(
  Array.from({ length: 300 }, (_, index) => [`data/${String(index)}.txt`, `file ${String(index)}`]),
);

/** A registry with one signed and one unsigned package, and someone who trusts the signer. */
async function setUp() {
  const folder = await temporaryFolder();
  await writeFiles(join(folder, 'files'), FILES);
  const env = { PKG_CONFIG: join(folder, 'signer'), PKG_STORE: join(folder, 'store') };
  const registry = ['--registry', join(folder, 'registry')];
  const key = await runJson<{ publicPath: string }>(['keys', 'generate'], {
    env,
  });
  const dir = ['--dir', join(folder, 'files')];
  await runJson(['push', 'user/signed', ...dir, ...registry, '--sign'], { env });
  const other = ['--message', 'not signed'];
  await runJson(['push', 'user/unsigned', ...dir, ...other, ...registry], { env });
  const reader = { PKG_CONFIG: join(folder, 'reader'), PKG_STORE: join(folder, 'other-store') };
  const run = async (args: readonly string[]) =>
    (await runCli([...args, ...registry], { env: reader })).exitCode;
  const trust = async (...more: string[]) =>
    await runCli(['trust', 'add', key.publicPath, ...more], { env: reader });
  return { folder, registry, reader, run, trust };
}

describe('signed packages', () => {
  it('are installed where they have to be signed, and unsigned ones are refused', async () => {
    const { folder, run, trust } = await setUp();
    const dest = ['--dest', join(folder, 'dest')];
    const asked = ['--require-signature', ...dest];
    expect(await run(['install', 'user/signed', ...asked])).toBe(13);
    await trust();
    expect(await run(['install', 'user/unsigned', ...asked])).toBe(13);
    expect(await run(['install', 'user/signed', 'data/7.txt', ...asked])).toBe(0);
    expect(await readFile(join(folder, 'dest/data/7.txt'), 'utf8')).toBe('file 7');
    const elsewhere = ['--dest', join(folder, 'elsewhere')];
    expect(await run(['install', 'user/unsigned', ...elsewhere])).toBe(0);
    await trust('--name', 'user/*', '--require');
    const third = ['--dest', join(folder, 'third')];
    expect(await run(['install', 'user/unsigned', ...third])).toBe(13);
    expect(await run(['install', 'user/signed', ...third])).toBe(0);
  });

  it('have files that are proven by a short proof, without the registry', async () => {
    const { folder, registry, reader, trust } = await setUp();
    await trust();
    const prove = ['prove', 'user/signed', 'data/41.txt', ...registry];
    const { stdout } = await runCli(prove, { env: reader });
    expect(Buffer.byteLength(stdout)).toBeLessThan(2048 + 1024);
    const { proof } = JSON.parse(stdout) as { proof: unknown };
    expect(JSON.stringify(proof).length).toBeLessThan(2048);
    const alone = join(folder, 'alone');
    await mkdir(alone);
    const [file, proofFile] = [join(alone, 'a.txt'), join(alone, 'proof.json')];
    await writeFile(file, 'file 41');
    await writeFile(proofFile, stdout);
    const verify = async (env = reader) =>
      (await runCli(['verify', file, '--proof', proofFile], { env })).exitCode;
    expect(await verify()).toBe(0);
    expect(await verify({ ...reader, PKG_CONFIG: join(folder, 'nobody') })).toBe(13);
    await writeFile(proofFile, stdout.replace('data/41.txt', 'data/42.txt'));
    expect(await verify()).toBe(13);
    await writeFile(proofFile, stdout);
    await appendFile(file, '!');
    expect(await verify()).toBe(13);
  });
});
