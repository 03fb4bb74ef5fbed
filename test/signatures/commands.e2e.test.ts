/** Keys and trust from the command line. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface KeyDocument {
  readonly name: string;
  readonly keyid: string;
  readonly privatePath: string;
  readonly publicPath: string;
}

interface TrustDocument {
  readonly rules: readonly {
    registry: string;
    name: string;
    require: boolean;
    keys: readonly { keyid: string; comment: string }[];
  }[];
}

it('makes a key once, lists it, trusts it, and takes the trust back', async () => {
  const config = join(await temporaryFolder(), 'config');
  const env = { PKG_CONFIG: config };
  const key = await runJson<KeyDocument>(['keys', 'generate', 'ada'], { env });
  expect((await stat(join(config, 'keys', 'ada.key'))).mode & 0o777).toBe(0o600);
  expect(await runJson(['keys', 'list'], { env })).toEqual({ keys: [key] });
  expect(await runCli(['keys', 'generate', 'ada'], { env })).toMatchObject({ exitCode: 2 });

  const scope = ['--name', 'ada/*', '--registry', 's3://bucket/', '--require'];
  const added = await runJson<TrustDocument>(['trust', 'add', key.publicPath, ...scope], { env });
  const rule = { registry: 's3://bucket', name: 'ada/*', require: true };
  expect(added.rules).toEqual([{ ...rule, keys: [{ keyid: key.keyid, comment: 'ada.pub' }] }]);
  const listed = await runCli(['trust', 'list'], { env });
  expect(listed.stdout).toBe(`ada/*  s3://bucket  required  ${key.keyid}  ada.pub\n`);

  const emptied = await runJson<TrustDocument>(['trust', 'remove', key.keyid], { env });
  expect(emptied.rules).toEqual([{ ...rule, keys: [] }]);
  const lifted = ['trust', 'remove', 'ada/*', '--registry', 's3://bucket'];
  expect((await runJson<TrustDocument>(lifted, { env })).rules).toEqual([]);
  expect(await runCli(['trust', 'remove', key.keyid], { env })).toMatchObject({ exitCode: 12 });
});

it('refuses private keys, actions that there are not, and a policy that is damaged', async () => {
  const config = await temporaryFolder();
  const env = { PKG_CONFIG: config };
  await runJson(['keys', 'generate', 'ada'], { env });
  const secret = join(config, 'keys', 'ada.key');
  const refused = await runCli(['trust', 'add', secret], { env });
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  const [, body = ''] = (await readFile(secret, 'utf8')).split('\n');
  expect(refused.stderr).not.toContain(body);
  for (const args of [
    ['keys', 'destroy'],
    ['trust', 'add'],
    ['trust', 'x'],
  ]) {
    expect(await runCli(args, { env })).toMatchObject({ exitCode: 2, stdout: '' });
  }
  await writeFile(join(config, 'trust.json'), '{"version":1,"rules":[{}]}');
  const damaged = await runCli(['trust', 'list'], { env });
  expect(damaged).toMatchObject({ exitCode: 2, stdout: '' });
  expect(damaged.stderr).toContain('trust.json is not a trust policy: rules.0.registry');
});
