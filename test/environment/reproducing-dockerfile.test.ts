/** The Dockerfile that reproduces a package: made for a bucket or a folder, and building pkg as pkg's own does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBaseImages } from '../../src/environment/base-images.ts';
import {
  BASE_IMAGE,
  formatReproducingDockerfile,
  type PublishedPackage,
} from '../../src/environment/reproducing-dockerfile.ts';
import { digestOf } from '../../src/store/digest.ts';
import { ROOT } from '../support/shared.ts';

const REFERENCE = `me/apples@${'1'.repeat(64)}`;

const text = (parts: Partial<PublishedPackage> = {}) =>
  formatReproducingDockerfile({
    reference: REFERENCE,
    registry: 's3://bucket',
    endpoint: undefined,
    region: 'us-east-1',
    environment: {},
    ...parts,
  });

describe('formatReproducingDockerfile', () => {
  it('reads a bucket with credentials that stay out of the image', async () => {
    const dockerfile = await text({ endpoint: 'http://127.0.0.1:7070' });
    expect(dockerfile).toContain(`# Reproduces ${REFERENCE}: `);
    expect(dockerfile).toContain('docker build --secret id=aws,src=$HOME/.aws/credentials -f');
    expect(
      dockerfile
        .trimEnd()
        .split('\n')
        .slice(-3)
        .map((line) => line.trim()),
    ).toEqual([
      'RUN --mount=type=secret,id=aws,uid=1000 \\',
      'AWS_REGION=us-east-1 AWS_SHARED_CREDENTIALS_FILE=/run/secrets/aws \\',
      `pkg reproduce ${REFERENCE} --registry s3://bucket --endpoint http://127.0.0.1:7070`,
    ]);
    expect(dockerfile).not.toMatch(/<(?!PKG>|this file>|commit>)/);
  });

  it('takes a folder as a context of its own', async () => {
    const dockerfile = await text({ registry: "/srv/it's here" });
    expect(dockerfile).toContain(`--build-context pkg-registry='/srv/it'\\''s here' -f`);
    expect(dockerfile).toContain('RUN --mount=type=bind,from=pkg-registry,target=/registry \\\n');
    expect(dockerfile).not.toContain('secret');
  });

  it('installs the Node that the package pins upon an image by digest', async () => {
    expect(await text({ environment: { node: '22.23.3' } })).toContain(
      'ARG NODE_VERSION=22.23.3\n',
    );
    const dockerfile = await text();
    expect(dockerfile).toContain('ARG NODE_VERSION=20.20.2\n');
    expect(readBaseImages(Buffer.from(dockerfile), 'it')).toEqual([BASE_IMAGE]);
  });

  it("names the package's own images without building upon them", async () => {
    const image = `ghcr.io/me/x@sha256:${'a'.repeat(64)}`;
    const dockerfile = {
      path: 'D',
      digest: digestOf(''),
      sizeBytes: 0,
      baseImages: [image, 'x\nRUN evil'],
    };
    const made = await text({ environment: { dockerfile } });
    expect(made).toContain(`\n#   ${image}\n`);
    expect(made).not.toContain('evil');
    expect(readBaseImages(Buffer.from(made), 'it')).toEqual([BASE_IMAGE]);
  });

  it.each([
    ['a registry', { registry: 's3://a b' }],
    ['a reference', { reference: 'me/a\nRUN evil' }],
    ['a server', { endpoint: 'http://h/$(evil)' }],
    ['a region', { region: 'x y' }],
  ])('refuses %s that would be more than a word', async (_, parts) => {
    await expect(text(parts)).rejects.toMatchObject({ code: 'usage' });
  });

  it('makes one line of a folder with line breaks in its name', async () => {
    const made = await text({ registry: '/a\nRUN evil' });
    expect(made).not.toMatch(/^RUN evil/m);
  });

  it("builds pkg by the very steps of pkg's own Dockerfile", async () => {
    const own = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
    const stage = (dockerfile: string) => /WORKDIR \/app\n([\s\S]*?)\n\nFROM/.exec(dockerfile)?.[1];
    expect(stage(await text())).toBe(stage(own));
    expect(stage(own)).toContain('npm ci');
  });
});
