/** How statements name commits, images and addresses. */
import { describe, expect, it } from 'vitest';
import { commitUri, imageResource, isResourceUri, nodeUri } from '../../src/provenance/resource.ts';

const COMMIT = 'b'.repeat(40);
const HEX = 'c'.repeat(64);

describe('an address', () => {
  it.each([
    ['https://host/a?b=c#d', true],
    ['s3://bucket/key', true],
    ['file:///data/a.csv', true],
    ['https://host/a%20b', true],
    ['https://host/A', true],
    ['https://Host/a', false],
    ['HTTPS://host/a', false],
    ['https://host/a b', false],
    ['https://host/a%2x', false],
    ['https://host/#a#b', false],
    ['https://host/ä', false],
    ['sample/boxes.csv', false],
    ['C:\\data\\boxes.csv', false],
    ['', false],
  ])('%j is a URI in normal form: %s', (text, expected) => {
    expect(isResourceUri(text)).toBe(expected);
  });
});

describe('a commit', () => {
  it('of a repository on the network has a URI, one of a folder has none', () => {
    const url = 'https://github.com/quiltdata/open-images.git';
    expect(commitUri(url, COMMIT)).toBe(`git+${url}@${COMMIT}`);
    expect(commitUri('ssh://git@host/x', COMMIT)).toBe(`git+ssh://git@host/x@${COMMIT}`);
    for (const other of ['.', '/srv/x', 'git@host:x', 'https://host/x?y', 'ftp://host/x']) {
      expect(commitUri(other, COMMIT)).toBeUndefined();
    }
  });
});

describe('an image', () => {
  it.each([
    ['debian', 'pkg:docker/debian@latest'],
    ['debian:12', 'pkg:docker/debian@12'],
    ['library/node:20-slim', 'pkg:docker/library/node@20-slim'],
    ['ghcr.io/a/b:1.2', 'pkg:docker/a/b@1.2?repository_url=ghcr.io'],
    ['localhost:5000/b', 'pkg:docker/b@latest?repository_url=localhost%3A5000'],
    [`node:20@sha256:${HEX}`, `pkg:docker/node@sha256%3A${HEX}`],
    ['a b\ud800', 'pkg:docker/a%20b%EF%BF%BD@latest'],
  ])('%j is named %s', (reference, uri) => {
    expect(imageResource(reference).uri).toBe(uri);
  });

  it('has the digest that it states', () => {
    expect(imageResource(`node@sha256:${HEX}`).digest).toEqual({ sha256: HEX });
    expect(imageResource('node@sha256:abc').digest).toBeUndefined();
    expect(imageResource('node:20').digest).toBeUndefined();
  });
});

it('a release of Node is named by its version, whatever that is', () => {
  expect(nodeUri('20.20.2')).toBe('pkg:generic/node@20.20.2');
  expect(nodeUri('>=20 \ud800')).toBe('pkg:generic/node@%3E%3D20%20%EF%BF%BD');
});
