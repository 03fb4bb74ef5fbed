/** pkg env: the environment of a manifest and of a package, compared with the one here and made anew. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runCli, runJson } from '../support/cli.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NAME = 'quilt/open_images_sample';

const ENVIRONMENT = `environment:
  node: 20.0.1
  lockfile: npm/package-lock.json
  dockerfile: Dockerfile
`;

interface CheckDocument {
  readonly same: boolean;
  readonly findings: readonly { readonly subject: string; readonly same: boolean }[];
}

let folder = '';
const at = (name: string) => join(folder, name);
const pkg = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--store', at('store')], { cwd: folder });

beforeAll(async () => {
  folder = await temporaryFolder();
  await cp(join(ROOT, 'manifests'), folder, { recursive: true });
  await cp(join(ROOT, 'package-lock.json'), at('npm/package-lock.json'));
  await cp(join(ROOT, 'Dockerfile'), at('Dockerfile'));
  const manifest = await readFile(at('sample.yaml'), 'utf8');
  const withoutModel = manifest.replace(/^model:\n(?: .*\n)*/m, '');
  await writeFile(at('sample.yaml'), withoutModel + ENVIRONMENT);
  await runJson(['build', 'sample.yaml', '--update', '--store', at('store')], { cwd: folder });
  await runJson(['push', NAME, '--store', at('store'), '--registry', at('registry')]);
  await runJson(['install', NAME, '--registry', at('registry'), '--dest', at('installed')]);
});

describe('pkg env check', () => {
  it('says of a manifest that all but Node is as pinned, and ends with 14', async () => {
    const { exitCode, stdout } = await pkg('env', 'check', 'sample.yaml');
    expect(stdout.split('\n')).toEqual([
      `differs  Node is ${process.versions.node} here, 20.0.1 is pinned; no byte of the package depends on it`,
      'same     npm/package-lock.json is as pinned',
      'same     Dockerfile is as pinned',
      `${NAME}: 3 things compared, 1 of them differ`,
      '',
    ]);
    expect(exitCode).toBe(14);
  });

  it('names the packages by which other code differs from a package, installed or in a registry', async () => {
    const code = await temporaryFolder();
    const lock = await readFile(at('npm/package-lock.json'), 'utf8');
    const version = /"node_modules\/zod": \{\s+"version": "([^"]+)"/.exec(lock)?.[1] ?? '';
    await cp(at('Dockerfile'), join(code, 'Dockerfile'));
    await cp(at('npm'), join(code, 'npm'), { recursive: true });
    await writeFile(
      join(code, 'npm/package-lock.json'),
      lock.replace(/("node_modules\/zod": \{\s+"version": )"[^"]+"/, '$1"4.0.0"'),
    );
    const installed = await pkg('env', 'check', 'installed', '--code', code);
    expect(installed.stdout).toContain(
      `npm/package-lock.json differs: zod ${version} is 4.0.0 here;`,
    );
    expect(installed.exitCode).toBe(14);
    const remote = await pkg(
      'env',
      'check',
      NAME,
      '--registry',
      'registry',
      '--code',
      code,
      '--json',
    );
    const { same, findings } = JSON.parse(remote.stdout) as CheckDocument;
    expect(same).toBe(false);
    expect(findings.map(({ subject, same: isSame }) => [subject, isSame])).toEqual([
      ['node', false],
      ['lockfile', false],
      ['dockerfile', true],
    ]);
  });

  it('ends with 0 where nothing of the environment is pinned, and 11 without a lockfile', async () => {
    const plain = await pkg('env', 'check', join(ROOT, 'manifests/sample.yaml'));
    expect([plain.exitCode, plain.stdout]).toEqual([
      0,
      `${NAME}: nothing of its environment can be compared here\n`,
    ]);
    const missing = await pkg('env', 'check', 'none.yaml');
    expect(missing.exitCode).toBe(11);
    expect(missing.stderr).toContain('there is no lockfile none.lock.json');
  });
});

describe('pkg env dockerfile', () => {
  it('writes the same for a manifest, a folder and a reference, and replaces no file', async () => {
    const registry = ['--registry', 'registry'];
    const byReference = await pkg('env', 'dockerfile', NAME, ...registry);
    expect(byReference.stdout).toContain('ARG NODE_VERSION=20.0.1\n');
    expect(byReference.stdout).toContain('#   node:20.20.2-bookworm-slim@sha256:');
    expect(byReference.stdout).toContain(`--build-context pkg-registry='${at('registry')}'`);
    const byManifest = await runCli(['env', 'dockerfile', 'sample.yaml', '--store', at('store')], {
      cwd: folder,
      env: { PKG_REGISTRY: 'registry' },
    });
    expect(byManifest.stdout).toBe(byReference.stdout);
    expect((await pkg('env', 'dockerfile', 'installed', '--output', 'made')).exitCode).toBe(0);
    expect(await readFile(at('made'), 'utf8')).toBe(byReference.stdout);
    const again = await pkg('env', 'dockerfile', 'installed', '--output', 'made');
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain('cannot write made, or it is there already');
  });
});

describe('pkg lock', () => {
  it('refuses an environment that is not pinned, by the line of the manifest', async () => {
    const lock = async (edit: (text: string) => string) => {
      await writeFile(at('edited.yaml'), edit(await readFile(at('sample.yaml'), 'utf8')));
      return await pkg('lock', 'edited.yaml', '--update');
    };
    await writeFile(at('Loose'), 'FROM node:20\n');
    const loose = await lock((text) => text.replace('dockerfile: Dockerfile', 'dockerfile: Loose'));
    expect(loose.exitCode).toBe(10);
    expect(loose.stderr).toMatch(
      /^error: edited\.yaml:\d+:\d+: environment\.dockerfile: Loose:1: FROM node:20 names an image/,
    );
    const node = await lock((text) => text.replace('20.0.1', 'v20.0.1'));
    expect(node.exitCode).toBe(10);
    expect(node.stderr).toContain('environment.node: "v20.0.1" is not one version of Node');
    expect(node.stderr).toContain('did you mean "20.0.1"');
  });
});
