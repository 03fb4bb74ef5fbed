/** Pinning an environment, and saying what differs from it here. */
import { describe, expect, it } from 'vitest';
import {
  checkEnvironment,
  type EnvironmentParams,
  type EnvironmentUse,
  type PinnedEnvironment,
  pinEnvironment,
  pinnedEnvironmentSchema,
} from '../../src/environment/environment.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const IMAGE = `node:20@sha256:${'a'.repeat(64)}`;
const OTHER_IMAGE = `node:22@sha256:${'b'.repeat(64)}`;

const lockText = (versions: Readonly<Record<string, string>>, rest: object = {}) =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: Object.fromEntries(
      Object.entries(versions).map(([name, version]) => [
        `node_modules/${name}`,
        { version, integrity: `sha512-${name}${version}` },
      ]),
    ),
    ...rest,
  });

const FILES = {
  'package-lock.json': lockText({ sharp: '0.35.5', zod: '4.6.7' }),
  'docker/Dockerfile': `FROM ${IMAGE}\n`,
};

const PARAMS: EnvironmentParams = {
  node: '20.20.2',
  lockfile: 'package-lock.json',
  dockerfile: 'docker/Dockerfile',
};

const reader = (files: Readonly<Record<string, string>>) => (path: string) => {
  const text = files[path];
  return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
};

async function pin(params: EnvironmentParams, files: Readonly<Record<string, string>> = FILES) {
  const runtime = testRuntime();
  const store = await openStore(await temporaryFolder(), 0);
  const pinned = await pinEnvironment(runtime, store, params, reader(files));
  return { pinned, store, runtime };
}

async function refusal(params: EnvironmentParams, files?: Readonly<Record<string, string>>) {
  const error: unknown = await pin(params, files).catch((reason: unknown) => reason);
  if (error instanceof PkgError) return error;
  throw new Error('nothing was refused');
}

describe('pinEnvironment', () => {
  it('pins by digest what the manifest names, and keeps the bytes', async () => {
    const { pinned, store } = await pin(PARAMS);
    const { 'package-lock.json': lock, 'docker/Dockerfile': dockerfile } = FILES;
    expect(pinned).toEqual({
      node: '20.20.2',
      lockfile: {
        path: 'package-lock.json',
        digest: digestOf(lock),
        sizeBytes: lock.length,
        lockfileVersion: 3,
      },
      dockerfile: {
        path: 'docker/Dockerfile',
        digest: digestOf(dockerfile),
        sizeBytes: dockerfile.length,
        baseImages: [IMAGE],
      },
    });
    expect(await store.readText(digestOf(lock))).toBe(lock);
    expect(await store.readText(digestOf(dockerfile))).toBe(dockerfile);
    expect(pinnedEnvironmentSchema.parse(JSON.parse(JSON.stringify(pinned)))).toEqual(pinned);
  });

  it('pins nothing that is not named', async () => {
    expect((await pin({})).pinned).toEqual({});
    expect((await pin({ node: '22.0.0' })).pinned).toEqual({ node: '22.0.0' });
  });

  it.each([
    ['20', 'did you mean "20.20.2"'],
    ['v20.20.2', 'did you mean "20.20.2"'],
    ['^22.1.0', 'did you mean "22.1.0"'],
    ['>=22', 'did you mean "22.23.3"'],
    ['20.x', 'did you mean "20.20.2"'],
    ['20.20', 'did you mean "20.20.2"'],
    ['20.11', 'did you mean "20.11.0"'],
    ['lts', 'Write a whole version'],
    ['20.020.2', 'Write a whole version'],
    ['99', 'Write a whole version'],
  ])('refuses %s as a version of Node, with a hint', async (node, hint) => {
    const error = await refusal({ node });
    expect([error.code, error.key]).toEqual(['manifest', 'environment.node']);
    expect(error.message).toBe(`"${node}" is not one version of Node`);
    expect(error.hint).toContain(hint);
  });

  it.each([
    ['lockfile', { lockfile: 'yarn.lock' }, 'yarn.lock is not there'],
    ['lockfile', { lockfile: '/etc/passwd' }, '/etc/passwd is not a relative path'],
    ['lockfile', { lockfile: 'docker/Dockerfile' }, 'docker/Dockerfile is not JSON'],
    ['dockerfile', { dockerfile: 'Containerfile' }, 'Containerfile is not there'],
    ['dockerfile', { dockerfile: 'package-lock.json' }, 'package-lock.json has no FROM'],
  ])('names the key environment.%s where it is %j', async (key, params, message) => {
    const error = await refusal(params);
    expect([error.code, error.key]).toEqual(['manifest', `environment.${key}`]);
    expect(error.message).toContain(message);
  });

  it('warns of packages that npm could not hold to a digest', async () => {
    const packages = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [`node_modules/${name}`, { version: '1.0.0' }]),
    );
    const { runtime } = await pin({ lockfile: 'l' }, { l: lockText({}, { packages }) });
    expect(runtime.events).toEqual([
      {
        kind: 'warned',
        message:
          'l has no digest for node_modules/a, node_modules/b, node_modules/c and 1 more, so npm would not notice other bytes',
      },
    ]);
  });
});

/** The findings where these files are here, of a package that pins PARAMS. */
async function check(
  files: Readonly<Record<string, string>> | undefined,
  {
    node = '20.20.2',
    engine = 'deterministic',
    hasPinned = true,
  }: { node?: string; engine?: EnvironmentUse['engine']; hasPinned?: boolean } = {},
) {
  const { pinned, store } = await pin(PARAMS);
  const openPinned: EnvironmentUse['openPinned'] = async ({ digest }) =>
    hasPinned ? await store.read(digest) : undefined;
  const openFile = files === undefined ? undefined : reader(files);
  return await checkEnvironment(pinned, { engine, openPinned }, { node, openFile });
}

const END = '; no byte of the package depends on it';

describe('checkEnvironment', () => {
  it('says of each thing that it is as pinned', async () => {
    expect(
      (await check(FILES)).map(({ subject, same, sentence }) => [subject, same, sentence]),
    ).toEqual([
      ['node', true, 'Node is 20.20.2, as pinned'],
      ['lockfile', true, 'package-lock.json is as pinned'],
      ['dockerfile', true, 'docker/Dockerfile is as pinned'],
    ]);
  });

  it('says what another Node means, by the engine of the model', async () => {
    const [exact] = await check(undefined, { node: '22.23.3' });
    expect(exact).toEqual({
      subject: 'node',
      same: false,
      sentence: `Node is 22.23.3 here, 20.20.2 is pinned${END}`,
      matters: 'no byte',
    });
    const [loose] = await check(undefined, { node: '22.23.3', engine: 'tensorflow' });
    expect(loose?.sentence).toContain('a model that TensorFlow.js trains may differ with it');
    expect(loose?.matters).toBe('may change model');
  });

  it('leaves out the files where there is no code to look at, and what is not pinned', async () => {
    expect(await check(undefined)).toHaveLength(1);
    const use = { engine: undefined, openPinned: () => Promise.resolve(undefined) };
    expect(await checkEnvironment({}, use, { node: '20.0.0', openFile: reader({}) })).toEqual([]);
  });

  it('names the packages that differ, at most ten', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const more = Object.fromEntries(names.map((name) => [name, '1.0.0']));
    const sentenceOf = async (text: string, hasPinned = true) =>
      (await check({ ...FILES, 'package-lock.json': text }, { hasPinned })).find(
        ({ subject }) => subject === 'lockfile',
      )?.sentence;
    expect(await sentenceOf(lockText({ sharp: '0.35.4', zod: '4.6.7' }))).toBe(
      `package-lock.json differs: sharp 0.35.5 is 0.35.4 here${END}`,
    );
    expect(await sentenceOf(lockText({ sharp: '0.35.5', zod: '4.6.7', ...more }))).toMatch(
      /differs: p00 1\.0\.0 is there and not pinned, .*, p09 1\.0\.0 is there and not pinned and 2 more;/,
    );
    expect(await sentenceOf(`${FILES['package-lock.json']}\n`)).toBe(
      `package-lock.json differs: it installs the same packages and has other bytes${END}`,
    );
    expect(await sentenceOf('{}')).toContain(
      'it is no package-lock.json of lockfileVersion 2 or 3',
    );
    expect(await sentenceOf('{"lockfileVersion":3,"packages":{}}', false)).toContain(
      'it has other bytes than the pinned one',
    );
  });

  it('says what npm installed otherwise than pinned, and nothing of what it left out', async () => {
    const installed = async (notes: string) =>
      (await check({ ...FILES, 'node_modules/.package-lock.json': notes })).find(
        ({ subject }) => subject === 'installed',
      );
    expect(await installed(lockText({ zod: '4.6.7' }))).toMatchObject({
      same: true,
      sentence: 'what npm installed is as pinned',
    });
    expect(await installed(lockText({ zod: '4.6.6', tar: '7.0.0' }))).toMatchObject({
      same: false,
      sentence: `npm installed other packages: tar 7.0.0 is there and not pinned, zod 4.6.7 is 4.6.6 here${END}`,
    });
    expect(await installed('no JSON')).toMatchObject({ same: false });
  });

  it('says which images a changed Dockerfile builds upon, and that it is gone', async () => {
    const dockerfile = async (text: string | undefined) => {
      const { 'docker/Dockerfile': _, ...rest } = FILES;
      const files = text === undefined ? rest : { ...rest, 'docker/Dockerfile': text };
      return (await check(files)).find(({ subject }) => subject === 'dockerfile')?.sentence;
    };
    expect(await dockerfile(`FROM ${OTHER_IMAGE}`)).toBe(
      `docker/Dockerfile differs: it builds upon ${OTHER_IMAGE} where ${IMAGE} is pinned${END}`,
    );
    expect(await dockerfile(`FROM ${IMAGE}\nUSER 1`)).toBe(
      `docker/Dockerfile differs: it builds upon the same images and has other bytes${END}`,
    );
    expect(await dockerfile('FROM node')).toContain(
      'it:1: FROM node names an image without its digest',
    );
    expect(await dockerfile(undefined)).toBe(`docker/Dockerfile is pinned and not here${END}`);
  });
});

describe('pinnedEnvironmentSchema', () => {
  const pinned = {
    dockerfile: { path: 'D', digest: 'a'.repeat(64), sizeBytes: 1, baseImages: [IMAGE] },
  } satisfies Record<keyof Pick<PinnedEnvironment, 'dockerfile'>, object>;

  it.each([
    ['a range of Node', { node: '>=20' }],
    ['a digest that is none', { dockerfile: { ...pinned.dockerfile, digest: 'x' } }],
    ['another key', { ...pinned, npm: '10' }],
    [
      'another version of lockfile',
      { lockfile: { path: 'l', digest: 'a'.repeat(64), sizeBytes: 1, lockfileVersion: 1 } },
    ],
  ])('refuses %s', (_, value) => {
    expect(pinnedEnvironmentSchema.safeParse(value).success).toBe(false);
    expect(pinnedEnvironmentSchema.safeParse(pinned).success).toBe(true);
  });
});
