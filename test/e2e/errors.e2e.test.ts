/** Bad input: one clear sentence, the right exit code, and nothing lost or half written. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type JsonObject, parseJson } from '../../src/package/lossless-json.ts';
import { canonicalQuiltJson } from '../../src/package/quilt-json.ts';
import { type CliResult, runCli, runJson } from '../support/cli.ts';
import { freePort } from '../support/servers.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NAME = 'quilt/open_images_sample';

/** Expects an exit code and, on stderr, `error: ` with one line that matches. */
function expectFailure(result: CliResult, exitCode: number, sentence: RegExp): void {
  const [first = ''] = result.stderr.split('\n').filter((line) => !line.startsWith('warning: '));
  expect(first).toMatch(/^error: /);
  expect(first).toMatch(sentence);
  expect(result.exitCode).toBe(exitCode);
  expect(result.stdout).toBe('');
  expect(result.stderr).not.toMatch(/^\s+at /m);
}

/** A copy of the sample with a manifest of its own. */
async function sampleCopy(edit: (manifest: string) => string = (text) => text) {
  const folder = await temporaryFolder();
  await cp(join(ROOT, 'manifests/sample'), join(folder, 'sample'), { recursive: true });
  const manifest = join(folder, 'sample.yaml');
  await writeFile(manifest, edit(await readFile(join(ROOT, 'manifests/sample.yaml'), 'utf8')));
  return { folder, manifest, args: [manifest, '--store', join(folder, 'store')] };
}

describe('a manifest', () => {
  it('that is not there ends with 10', async () => {
    expectFailure(await runCli(['build', '/nowhere/m.yaml']), 10, /no manifest \/nowhere\/m\.yaml/);
  });

  it('that is no YAML ends with 10, file, line and column', async () => {
    const { args } = await sampleCopy(() => 'version: 1\nname: [broken\n');
    expectFailure(await runCli(['build', ...args]), 10, /sample\.yaml:\d+:\d+: not valid YAML/);
  });

  it('with a misspelt key ends with 10 and the right key', async () => {
    const { args } = await sampleCopy((text) => text.replace('minSidePx', 'minSidePixels'));
    const result = await runCli(['build', ...args]);
    expectFailure(result, 10, /sample\.yaml:15:11: data\.crop\.minSidePixels: unknown key/);
  });

  it('with an unknown class ends with 10, its place and the nearest name', async () => {
    const { args } = await sampleCopy((text) => text.replace('Sandwich]', 'Sandwhich]'));
    const result = await runCli(['build', ...args]);
    expectFailure(
      result,
      10,
      /sample\.yaml:13:26: data\.query\.classes\.1: unknown class "Sandwhich"/,
    );
    expect(result.stderr).toContain('did you mean "Sandwich"?');
  });

  it('with a predicate that is a statement ends with 10 and touches nothing', async () => {
    const attack = "1 = 1); COPY (SELECT 1) TO '/tmp/pkg-attack.csv'; --";
    const { args } = await sampleCopy((text) => text.replace(/where: .*/, `where: "${attack}"`));
    expectFailure(await runCli(['build', ...args]), 10, /data\.query\.where: not an SQL predicate/);
    expect(existsSync('/tmp/pkg-attack.csv')).toBe(false);
  });

  it('whose table has no such address ends with 15', async () => {
    const url = `http://127.0.0.1:${String(await freePort())}/boxes.csv`;
    const { args } = await sampleCopy((text) =>
      text
        .replace('sample/train-annotations-bbox.csv', url)
        .replace('crop:', 'fetch: { retries: 0 }\n  crop:'),
    );
    expectFailure(await runCli(['build', ...args]), 15, /boxes\.csv could not be fetched/);
  });

  it('whose local table is gone ends with 15', async () => {
    const { args } = await sampleCopy((text) => text.replace('class-descriptions', 'klass'));
    expectFailure(await runCli(['build', ...args]), 15, /no file .*klass-boxable\.csv/);
  });
});

describe('a table', () => {
  const boxes = 'sample/train-annotations-bbox.csv';

  it('with a missing column ends with 10 and names the column', async () => {
    const { folder, args } = await sampleCopy();
    const text = await readFile(join(folder, boxes), 'utf8');
    await writeFile(join(folder, boxes), text.replace('XMin', 'XMinimum'));
    const result = await runCli(['build', ...args]);
    expectFailure(result, 10, /train-annotations-bbox\.csv:1: the column XMin is missing/);
  });

  it('with a broken line ends with 10 and names the line', async () => {
    const { folder, args } = await sampleCopy();
    const lines = (await readFile(join(folder, boxes), 'utf8')).split('\n');
    lines[41] = 'cut,off';
    await writeFile(join(folder, boxes), lines.join('\n'));
    const result = await runCli(['build', ...args]);
    expectFailure(result, 10, /bbox\.csv:42: expected 13 columns, found 2/);
  });
});

describe('a disk', () => {
  const canMount = (() => {
    try {
      execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      process.stderr.write('SKIPPED: no mount namespace here, so no full or read-only disk.\n');
      return false;
    }
  })();

  const onTmpfs = async (options: string, folder: string, manifest: string): Promise<CliResult> => {
    const script = `mount -t tmpfs -o ${options} none "$0" && exec "$1" "$2" build "$3" --store "$0/store"`;
    const binary = join(ROOT, 'dist/cli/bin.cjs');
    const { spawnSync } = await import('node:child_process');
    const args = ['-rm', 'sh', '-c', script, folder, process.execPath, binary, manifest];
    const result = spawnSync('unshare', args, { encoding: 'utf8' });
    return { exitCode: result.status ?? 1, stdout: result.stdout, stderr: result.stderr };
  };

  it.runIf(canMount)('that is full ends with 15 and leaves no lockfile half written', async () => {
    const { folder, manifest } = await sampleCopy();
    const disk = join(folder, 'disk');
    await mkdir(disk);
    expectFailure(await onTmpfs('size=700k', disk, manifest), 15, /the disk is full/);
    const built = await runJson<{ topHash: string }>([
      ...['build', manifest, '--store', join(folder, 'roomy')],
    ]);
    expect(built.topHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it.runIf(canMount)('that is read-only ends with 15', async () => {
    const { folder, manifest } = await sampleCopy();
    const disk = join(folder, 'disk');
    await mkdir(disk);
    expectFailure(await onTmpfs('ro', disk, manifest), 15, /the file system is read-only/);
  });

  it('place that is a file ends with 15', async () => {
    const { folder, manifest } = await sampleCopy();
    await writeFile(join(folder, 'file'), '');
    const result = await runCli(['build', manifest, '--store', join(folder, 'file')]);
    expectFailure(result, 15, /not a folder|EEXIST|cannot make/);
  });
});

describe('a registry', () => {
  let registry: string;
  let store: string;
  let topHash: string;

  beforeAll(async () => {
    const { folder, manifest } = await sampleCopy();
    registry = join(folder, 'registry');
    store = join(folder, 'store');
    ({ topHash } = await runJson<{ topHash: string }>(['build', manifest, '--store', store]));
    await runJson(['push', NAME, '--store', store, '--registry', registry]);
  });

  const install = async (reference: string, from: string, dest?: string) => {
    const folder = dest ?? join(await temporaryFolder(), 'dest');
    return await runCli(['install', reference, '--registry', from, '--dest', folder]);
  };

  it('that nobody named ends with 2', async () => {
    expectFailure(await runCli(['ls']), 2, /no registry was named/);
  });

  it('in a folder that is not there ends with 15', async () => {
    expectFailure(await install(NAME, '/nowhere/registry'), 15, /no registry folder \/nowhere/);
  });

  it('without the package, tag or hash ends with 12', async () => {
    expectFailure(await install('some/other', registry), 12, /has no some\/other/);
    expectFailure(await install(`${NAME}:v9`, registry), 12, /has no .*:v9/);
    expectFailure(await install(`${NAME}@${'0'.repeat(64)}`, registry), 12, /has no .*@0000/);
  });

  it('in which a short hash is ambiguous ends with 12 and lists the candidates', async () => {
    const copy = join(await temporaryFolder(), 'registry');
    await cp(registry, copy, { recursive: true });
    const twin = `${topHash.slice(0, 20)}${'0'.repeat(44)}`;
    const list = join(copy, '.quilt/packages');
    await cp(join(list, topHash), join(list, twin));
    await writeFile(join(copy, '.quilt/named_packages', NAME, '1600000000'), twin);
    const result = await install(`${NAME}@${topHash.slice(0, 12)}`, copy);
    expectFailure(result, 12, /is ambiguous/);
    expect(result.stderr).toContain(twin);
  });

  it('is not installed into a folder with other things in it: 2', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'mine.txt'), 'mine');
    expectFailure(await install(NAME, registry, folder), 2, /is not empty/);
    expect(await readdir(folder)).toEqual(['mine.txt']);
  });

  it('does not overwrite a local change: 2, and the change is kept', async () => {
    const folder = join(await temporaryFolder(), 'dest');
    expect((await install(NAME, registry, folder)).exitCode).toBe(0);
    await writeFile(join(folder, 'README.md'), 'my notes');
    expectFailure(await install(NAME, registry, folder), 2, /were changed: README\.md/);
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('my notes');
  });

  it.each([
    ['../evil', /".."/],
    ['/etc/evil', /absolute path/],
    ['a/../../evil', /".."/],
    ['.pkg/installed.json', /\.pkg is ours/],
  ])('with the logical key %s ends with 13 and writes nothing', async (key, why) => {
    const copy = join(await temporaryFolder(), 'registry');
    await cp(registry, copy, { recursive: true });
    const hash = await rewriteList(copy, topHash, (text) =>
      text.replace('"logical_key": "README.md"', `"logical_key": ${JSON.stringify(key)}`),
    );
    const folder = join(await temporaryFolder(), 'dest');
    expectFailure(await install(`${NAME}@${hash}`, copy, folder), 13, why);
    expect(existsSync(join(folder, '..', 'evil'))).toBe(false);
    expect(existsSync(join(folder, 'manifest.yaml'))).toBe(false);
  });

  it('does not write through a symbolic link in the folder: 13', async () => {
    const outside = await temporaryFolder();
    const folder = join(await temporaryFolder(), 'dest');
    expect((await install(NAME, registry, folder)).exitCode).toBe(0);
    await rename(join(folder, 'metadata'), join(folder, '..', 'aside'));
    await symlink(outside, join(folder, 'metadata'));
    expectFailure(await install(NAME, registry, folder), 13, /is a link/);
    expect(await readdir(outside)).toEqual([]);
  });

  it('with a list that is not what its name says ends with 13', async () => {
    const copy = join(await temporaryFolder(), 'registry');
    await cp(registry, copy, { recursive: true });
    const list = join(copy, '.quilt/packages', topHash);
    await writeFile(list, (await readFile(list, 'utf8')).replace('Drawn', 'Painted'));
    expectFailure(await install(NAME, copy), 13, /has top hash/);
  });

  it('that fails says so as one JSON document on stderr with --json', async () => {
    const result = await runCli(['log', 'some/other', '--registry', registry, '--json']);
    expect(result.stdout).toBe('');
    const document = JSON.parse(result.stderr) as { error: Record<string, unknown> };
    expect(document.error).toMatchObject({ code: 'not-found', exitCode: 12 });
    expect(result.exitCode).toBe(12);
  });

  it('is pushed to from a package that was never built: 12', async () => {
    const result = await runCli(['push', 'some/other', '--store', store, '--registry', registry]);
    expectFailure(result, 12, /was not built/);
  });
});

describe('missing images', () => {
  it('end a build with 3 where the manifest says so, the package built all the same', async () => {
    const { args } = await sampleCopy((text) =>
      text.replace('crop:', 'fetch: { missing: fail }\n  crop:'),
    );
    const result = await runCli(['build', ...args, '--json']);
    expect(result.exitCode).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({ name: NAME, images: { missing: 3 } });
  });
});

describe('the command line', () => {
  it.each([
    [[]],
    [['frobnicate']],
    [['build']],
    [['build', 'x.yaml', '--frobnicate']],
    [['install', 'a/b', '--registry', 'r', '--link', 'sideways']],
    [['registry', 'create', 'r', '--policy', 'bags']],
  ])('ends with 2 on %j', async (args) => {
    expect((await runCli(args)).exitCode).toBe(2);
  });

  it('refuses a reference that is none, and an address that is none: 2', async () => {
    expectFailure(await runCli(['show', 'name', '--registry', '.']), 2, /not a reference/);
    expectFailure(await runCli(['show', 'a/b', '--registry', 'ftp://x']), 2, /not the address/);
    expectFailure(
      await runCli(['show', 'a/b', '--registry', 's3://b/prefix']),
      2,
      /not the address/,
    );
  });
});

/** Edits the list of a package and gives it its new top hash, as a hostile registry would. */
async function rewriteList(
  registry: string,
  topHash: string,
  edit: (text: string) => string,
): Promise<string> {
  const list = join(registry, '.quilt/packages');
  const lines = edit(await readFile(join(list, topHash), 'utf8'))
    .trimEnd()
    .split('\n');
  const [header, ...entries] = lines.map((line) => parseJson(line) as JsonObject);
  const hash = createHash('sha256').update(canonicalQuiltJson(header ?? null));
  const sorted = entries
    .map(
      (entry) =>
        new Map(
          ['hash', 'logical_key', 'meta', 'size'].map((key) => [key, entry.get(key) ?? null]),
        ),
    )
    .sort((a, b) => (partsOf(a) < partsOf(b) ? -1 : 1));
  for (const entry of sorted) hash.update(canonicalQuiltJson(entry));
  const digest = hash.digest('hex');
  await writeFile(join(list, digest), `${lines.join('\n')}\n`);
  return digest;
}

/** An entry's logical key with its parts apart, so that plain comparison gives hashing order. */
function partsOf(entry: JsonObject): string {
  return JSON.stringify(entry.get('logical_key')).split('/').join('\0');
}
