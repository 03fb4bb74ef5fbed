/** A published package, data, code, environment and model, built again by whoever was given its name. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CliOptions, runCli, runJson } from '../support/cli.ts';
import { chooseOidClasses, writeOidManifest } from '../support/oid.ts';
import { makeBucket, ownerClient } from '../support/s3-buckets.ts';
import { type S3Server, startImageServer, startS3Server } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Outcome {
  readonly topHash: string;
  readonly rebuilt?: string;
  readonly reproduced: boolean;
  readonly steps: readonly {
    readonly name: string;
    readonly verdict: string;
    readonly why?: string;
  }[];
  readonly differences: readonly { readonly logicalKey: string; readonly kind: string }[];
  readonly firstDifference?: { readonly step?: string };
  readonly sources?: readonly string[];
  readonly notes: readonly string[];
  readonly environment: readonly { readonly subject: string; readonly same: boolean }[];
}

const NAME = 'test/oid';

const MODEL = `code:
  repository: .
environment:
  node: 20.20.2
  lockfile: package-lock.json
  dockerfile: Dockerfile
model:
  input: { widthPx: 32, heightPx: 32 }
  layers:
    - conv2d: { filters: 8, kernelSize: 3, activation: relu }
    - maxPooling2d
    - flatten
    - dense: { units: 1, activation: sigmoid }
  fit: { batchSize: 16, epochs: 2 }
`;

const DOCKERFILE = `FROM node:20.20.2-bookworm-slim@sha256:${'a1'.repeat(32)}\nRUN npm ci\n`;

const LOCK = JSON.stringify({
  name: 'code',
  lockfileVersion: 3,
  requires: true,
  packages: { '': { name: 'code' } },
});

const git = (folder: string, ...args: readonly string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    cwd: folder,
    encoding: 'utf8',
  }).trim();

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('a published package', () => {
  let photos: Awaited<ReturnType<typeof startImageServer>>;
  let s3: S3Server;
  let client: S3Client;
  let bucket: string;
  let work: string;
  let topHash: string;
  let arePhotosServed = true;

  const registry = () => ['--registry', `s3://${bucket}`];

  /** Reproduces in an empty store and another folder. */
  const reproduce = async (args: readonly string[], options: CliOptions = {}) => {
    const elsewhere = await temporaryFolder();
    const store = ['--store', join(elsewhere, 'store')];
    const env = { ...s3.env, ...options.env };
    const run = await runCli(['reproduce', ...args, ...store, '--json'], {
      cwd: elsewhere,
      ...options,
      env,
    });
    const text = run.exitCode === 0 || run.exitCode === 14 ? run.stdout : '{}';
    return { ...run, outcome: JSON.parse(text) as Outcome };
  };

  const verdicts = ({ steps }: Outcome) => steps.map(({ name, verdict }) => `${name} ${verdict}`);

  beforeAll(async () => {
    photos = await startImageServer();
    s3 = await startS3Server();
    client = ownerClient(s3);
    bucket = await makeBucket(client);
    work = await temporaryFolder();
    const classes = [...chooseOidClasses().values()];
    const manifest = await writeOidManifest(work, {
      ...{ name: NAME, baseUrl: photos.url, classes },
      query: '    imagesPerClass: 40',
    });
    await writeFile(manifest, `${await readFile(manifest, 'utf8')}${MODEL}`);
    await writeFile(join(work, 'Dockerfile'), DOCKERFILE);
    await writeFile(join(work, 'package-lock.json'), LOCK);
    await writeFile(join(work, '.gitignore'), 'store/\n');
    git(work, 'init', '--quiet', '--initial-branch=main');
    git(work, 'add', '.');
    git(work, 'commit', '--quiet', '--message=Begin');
    const store = ['--store', join(work, 'store')];
    ({ topHash } = await runJson<{ topHash: string }>(['build', manifest, ...store]));
    const create = ['registry', 'create', `s3://${bucket}`, '--policy', 'objects'];
    await runJson(create, { env: s3.env });
    await runJson(['push', NAME, ...store, ...registry()], { env: s3.env });
  });
  afterAll(async () => {
    if (arePhotosServed) await photos.stop();
    await s3.stop();
  });

  it('holds its code, its environment and a statement of how it was made', async () => {
    const commit = git(work, 'rev-parse', 'HEAD');
    const listed = await runJson<{ entries?: unknown }>(['ls', NAME, ...registry()], {
      env: s3.env,
    });
    const text = JSON.stringify(listed);
    for (const key of [
      `code/${commit}.tar`,
      'environment/Dockerfile',
      'environment/package-lock.json',
      'provenance.json',
    ]) {
      expect(text).toContain(key);
    }
  });

  it('comes out the same under another locale, with one thread, with every step run again', async () => {
    const env = { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' };
    const args = [`${NAME}@${topHash}`, ...registry(), '--concurrency', '1'];
    const { exitCode, outcome, stderr } = await reproduce(args, { env });
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(outcome).toMatchObject({ topHash, rebuilt: topHash, reproduced: true, differences: [] });
    expect(new Set(outcome.steps.map(({ verdict }) => verdict))).toEqual(new Set(['same']));
  });

  const nodes = (process.env['PKG_NODE_BINARIES'] ?? '').split(':').filter((path) => path !== '');
  it.runIf(nodes.length > 0)('comes out the same on the newest Node, which is told', async () => {
    const args = [`${NAME}@${topHash}`, ...registry(), '--concurrency', '3'];
    const { exitCode, outcome } = await reproduce(args, { node: nodes.at(-1) ?? '' });
    expect(exitCode).toBe(0);
    expect(outcome.rebuilt).toBe(topHash);
    expect(outcome.environment).toContainEqual(
      expect.objectContaining({ subject: 'node', same: false }),
    );
  });

  it('has sources that answer as they did', async () => {
    const { exitCode, outcome } = await reproduce([NAME, ...registry(), '--from-source']);
    expect(exitCode).toBe(0);
    expect(outcome.sources).toEqual([expect.stringContaining('code: .')]);
  });

  it('comes out the same, from the registry alone, when its photo server is gone', async () => {
    await photos.stop();
    arePhotosServed = false;
    const { exitCode, outcome } = await reproduce([`${NAME}@${topHash}`, ...registry()]);
    expect(exitCode).toBe(0);
    expect(outcome.rebuilt).toBe(topHash);
    const [query, ...others] = verdicts(outcome);
    expect(query).toBe('query recorded');
    expect(others.every((verdict) => verdict.endsWith(' same'))).toBe(true);
  });

  it('says which sources died since, and is built all the same', async () => {
    const { exitCode, outcome } = await reproduce([NAME, ...registry(), '--from-source']);
    expect(exitCode).toBe(0);
    expect(outcome.sources?.join('\n')).toMatch(/photos got no final answer/);
    expect(outcome.sources?.join('\n')).toMatch(/source boxes: .* cannot be had any more/);
  });

  it('comes out the same offline, from an installed folder', async () => {
    const folder = join(await temporaryFolder(), 'installed');
    await runJson(['install', NAME, ...registry(), '--dest', folder], { env: s3.env });
    const { exitCode, outcome } = await reproduce([folder], {
      env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
    });
    expect(exitCode).toBe(0);
    expect(outcome.rebuilt).toBe(topHash);
    const data = await reproduce([folder, '--only', 'data']);
    expect(data.exitCode).toBe(0);
    expect(verdicts(data.outcome)).toEqual([
      'query recorded',
      'fetch same',
      'crop same',
      'split same',
    ]);
  });

  /** The photo of which one pixel is another, as a JPEG again. */
  const changedPhoto = async (bytes: Buffer): Promise<Buffer> => {
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    data[0] = (data[0] ?? 0) ^ 1;
    return await sharp(data, { raw: info }).jpeg().toBuffer();
  };

  it('names the photo of which one pixel was changed in the registry, and ends with 13', async () => {
    const folder = join(await temporaryFolder(), 'installed');
    await runJson(['install', NAME, 'images', ...registry(), '--dest', folder], { env: s3.env });
    const [photo = ''] = (await readdir(join(folder, 'images'))).filter((name) =>
      name.endsWith('.jpg'),
    );
    const bytes = await readFile(join(folder, 'images', photo));
    const digest = createHash('sha256').update(bytes).digest('hex');
    const Key = `objects/${digest.slice(0, 2)}/${digest}`;
    const put = (Body: Buffer) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    await put(await changedPhoto(bytes));
    const { exitCode, stderr } = await reproduce([NAME, ...registry()]);
    await put(bytes);
    expect(exitCode).toBe(13);
    expect(stderr).toContain(`images/${photo}`);
  });

  /** A registry with the package as somebody changed it, hashes and all. */
  const forge = async (change: (folder: string) => Promise<void>): Promise<readonly string[]> => {
    const folder = await temporaryFolder();
    const copy = join(folder, 'copy');
    const store = ['--store', join(folder, 'store')];
    const install = ['install', NAME, ...registry(), '--dest', copy, '--link', 'copy', ...store];
    await runJson(install, { env: s3.env });
    await rm(join(copy, '.pkg'), { recursive: true });
    await change(copy);
    const forged = ['--registry', join(folder, 'registry')];
    await runJson(['push', NAME, '--dir', copy, ...forged, ...store]);
    return forged;
  };

  it.each([
    [
      'a photo',
      async (copy: string) => {
        const [photo = ''] = (await readdir(join(copy, 'images'))).filter((name) =>
          name.endsWith('.jpg'),
        );
        const path = join(copy, 'images', photo);
        await writeFile(path, await changedPhoto(await readFile(path)));
        return `images/${photo} is not the photo`;
      },
    ],
    [
      'the code',
      async (copy: string) => {
        const [tar = ''] = await readdir(join(copy, 'code'));
        await writeFile(join(copy, 'code', tar), 'other code');
        return `code/${tar} is not the file`;
      },
    ],
    [
      'the Dockerfile',
      async (copy: string) => {
        await writeFile(join(copy, 'environment/Dockerfile'), DOCKERFILE.replace('npm ci', 'true'));
        return 'environment/Dockerfile is not the file';
      },
    ],
    [
      'a parameter',
      async (copy: string) => {
        const path = join(copy, 'manifest.yaml');
        await writeFile(path, (await readFile(path, 'utf8')).replace('epochs: 2', 'epochs: 3'));
        return 'model.fit.epochs: was 2, is 3';
      },
    ],
  ])('names %s that was changed in a copy, hashes and all, and ends with 13', async (_, change) => {
    let named = '';
    const forged = await forge(async (copy) => {
      named = await change(copy);
    });
    const { exitCode, stderr } = await reproduce([NAME, ...forged]);
    expect(exitCode).toBe(13);
    expect(stderr).toContain(named);
  });

  it('names the step whose parameter was changed in manifest and lockfile alike', async () => {
    const forged = await forge(async (copy) => {
      const manifest = join(copy, 'manifest.yaml');
      const text = (await readFile(manifest, 'utf8')).replace('epochs: 2', 'epochs: 3');
      await writeFile(manifest, text);
      const lock = join(copy, 'manifest.lock.json');
      const locked = JSON.parse(await readFile(lock, 'utf8')) as {
        manifest: string;
        parameters: { model: { fit: { epochs: number } } };
      };
      locked.manifest = createHash('sha256').update(text).digest('hex');
      locked.parameters.model.fit.epochs = 3;
      await writeFile(lock, `${JSON.stringify(locked, null, 2)}\n`);
    });
    const { exitCode, outcome } = await reproduce([NAME, ...forged]);
    expect(exitCode).toBe(14);
    expect(outcome.firstDifference?.step).toBe('train');
    expect(outcome.notes.join('\n')).toContain('model.fit.epochs: was 2, is 3');
  });

  it('is not reproduced where its weights are others, and says from which file and step on', async () => {
    const forged = await forge(async (copy) => {
      const path = join(copy, 'models/weights.bin');
      const weights = await readFile(path);
      weights.writeFloatLE(weights.readFloatLE(0) + 0.5, 0);
      await writeFile(path, weights);
    });
    const { exitCode, outcome } = await reproduce([NAME, ...forged]);
    expect(exitCode).toBe(14);
    expect(outcome.differences).toEqual([{ logicalKey: 'models/weights.bin', kind: 'differs' }]);
    const near = await reproduce([NAME, ...forged, '--tolerance', '1']);
    expect(near.exitCode).toBe(0);
    const far = await reproduce([NAME, ...forged, '--tolerance', '0.1']);
    expect(far.exitCode).toBe(14);
  });

  it('does not count a dirty work tree as its commit', async () => {
    const copy = join(await temporaryFolder(), 'copy');
    await cp(work, copy, { recursive: true });
    await writeFile(join(copy, 'Dockerfile'), `${DOCKERFILE}# changed\n`);
    const args = ['build', join(copy, 'manifest.yaml'), '--store', join(copy, 'store')];
    const refused = await runCli(args);
    expect(refused.exitCode).toBe(11);
    expect(refused.stderr).toContain('Dockerfile');
    const recorded = await runJson<{ topHash: string }>([...args, '--allow-dirty']);
    expect(recorded.topHash).not.toBe(topHash);
    const lock = JSON.parse(await readFile(join(copy, 'manifest.lock.json'), 'utf8')) as {
      code: { dirty?: boolean };
    };
    expect(lock.code.dirty).toBe(true);
    const again = await runJson<{ topHash: string }>([...args, '--allow-dirty']);
    expect(again.topHash).toBe(recorded.topHash);
  });
});
