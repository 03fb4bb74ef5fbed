/** The Dockerfiles, built for real by buildah upon a small system made here, as no registry of images is reached. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

const BUILDAH = process.env['PKG_BUILDAH'] ?? '';

/** The base image, in place of the one that the Dockerfiles name by digest. */
const BASE = 'localhost/node-base';

const IMAGE = 'localhost/pkg';

const NAME = 'quilt/open_images_sample';

let storage = '';

/** What keeps the images: `overlay` copies nothing, `vfs` works in any file system. */
let driver = 'overlay';

async function buildah(...args: string[]): Promise<string> {
  const where = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run')];
  const command = ['--storage-driver', driver, ...where, ...args];
  try {
    const { stdout } = await promisify(execFile)(BUILDAH, command, { maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`buildah ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

async function hasOverlay(): Promise<boolean> {
  return await buildah('info').then(
    () => true,
    () => false,
  );
}

/** npm's settings by which this machine reaches a registry of packages, without anything secret. */
async function npmSettings(): Promise<Readonly<Record<string, string>>> {
  const names = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy', 'cache'];
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', ...names], {
    cwd: homedir(),
  });
  const lines = stdout.split('\n').map((line) => /^([a-z-]+)=(.+)$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((match) =>
      match === null || /^(?:null|undefined)$/.test(match[2] ?? '') ? [] : [[match[1], match[2]]],
    ),
  ) as Readonly<Record<string, string>>;
}

/** Mounts that let npm work within a build as it does here: its cache, the user's settings, certificates. */
let npmMounts: readonly string[] = [];

async function makeBase(): Promise<void> {
  const { cache = '', ...settings } = await npmSettings();
  const cafile = settings['cafile'] ?? process.env['NODE_EXTRA_CA_CERTS'];
  const folder = join(storage, 'settings');
  await mkdir(join(folder, 'usr/local/etc'), { recursive: true });
  const lines = Object.entries({
    ...settings,
    ...(cafile === undefined ? {} : { cafile: '/etc/npm-certificates.pem' }),
    cache: '/npm-cache',
    'prefer-offline': 'true',
  }).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, 'usr/local/etc/npmrc'), lines.join(''));
  await writeFile(join(folder, 'Dockerfile'), 'FROM localhost/bare\nCOPY usr /usr\n');
  await mkdir(cache, { recursive: true });
  npmMounts = [
    [cache, '/npm-cache'],
    [join(homedir(), '.npmrc'), '/root/.npmrc:ro'],
    [cafile ?? '', '/etc/npm-certificates.pem:ro'],
  ].flatMap(([from = '', to = '']) => (existsSync(from) ? ['--volume', `${from}:${to}`] : []));
  await buildah('bud', '--quiet', '--tag', 'localhost/bare', join(dirname(BUILDAH), '../base'));
  await buildah('bud', '--quiet', '--tag', BASE, folder);
}

/** Builds an image of the checkout upon the base, of layers that the next build shares; gives what was printed. */
async function build(...args: string[]): Promise<string> {
  const base = ['--build-arg', `BASE=${BASE}`];
  return await buildah('bud', '--layers', ...base, ...npmMounts, ...args, ROOT);
}

/** Runs a shell command in a new container of the image, as its user. */
async function run(volumes: Readonly<Record<string, string>>, script: string): Promise<string> {
  const container = (await buildah('from', IMAGE)).trim();
  const mounts = Object.entries(volumes).flatMap(([from, to]) => ['--volume', `${from}:${to}`]);
  const printed = await buildah('run', ...mounts, container, 'sh', '-c', script);
  await buildah('rm', container);
  return printed;
}

const statedHash = async () =>
  /^top hash ([0-9a-f]{64})$/m.exec(await readFile(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';

describeWith('buildah', BUILDAH)('the Dockerfiles', () => {
  let registry = '';

  beforeAll(async () => {
    storage = await temporaryFolder();
    if (!(await hasOverlay())) driver = 'vfs';
    registry = join(storage, 'registry');
    await mkdir(registry);
    await chmod(registry, 0o777);
    await makeBase();
    await build('--tag', IMAGE);
  });

  afterAll(async () => {
    await buildah('rm', '--all');
    await rm(storage, { recursive: true, force: true });
  });

  it('make an image that runs pkg as a user without rights, with labels and no development tools', async () => {
    const words = (await run({}, 'pkg --version; id -u; ls /app; ls /app/node_modules')).split(
      '\n',
    );
    expect(words.slice(0, 2)).toEqual(['0.1.0', '1000']);
    expect(words).toContain('zod');
    expect(words).not.toContain('typescript');
    expect(words).not.toContain('src');
    const { config } = (
      JSON.parse(await buildah('inspect', '--type', 'image', IMAGE)) as {
        OCIv1: { config: Record<string, unknown> };
      }
    ).OCIv1;
    expect(config).toMatchObject({
      User: 'node',
      WorkingDir: '/work',
      Entrypoint: ['pkg'],
      Labels: { 'org.opencontainers.image.title': 'pkg' },
    });
  });

  it("build the sample in it to the README's top hash", async () => {
    const manifests = join(storage, 'manifests');
    await cp(join(ROOT, 'manifests'), manifests, { recursive: true });
    const printed = await run(
      { [manifests]: '/work/manifests:ro', [registry]: '/registry' },
      `umask 0; pkg build manifests/sample.yaml && pkg push ${NAME} --registry /registry`,
    );
    expect(printed).toContain(`top hash ${await statedHash()}`);
  });

  it('reproduce a published package by one build of what pkg env dockerfile prints', async () => {
    const text = await run(
      { [registry]: '/registry:ro' },
      `pkg env dockerfile ${NAME} --registry /registry`,
    );
    expect(text).toContain(`# Reproduces ${NAME}@${await statedHash()}: `);
    const file = join(storage, 'reproduce.Dockerfile');
    await writeFile(file, text);
    const printed = await build('--build-context', `pkg-registry=${registry}`, '--file', file);
    expect(printed).toContain(await statedHash());
  });
});
