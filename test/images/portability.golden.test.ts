/** Decoding, cutting, encoding and resizing give the same bytes on arm64 as here. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWith, ROOT, shared } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Report {
  /** Of what was found out about photos, their pixels, crops, inputs of a network, and looks. */
  readonly digests: Readonly<Record<string, string>>;
  /** How many photos there were of each format. */
  readonly formats: Readonly<Record<string, number>>;
  readonly crops: number;
  readonly runtime: string;
}

/** Of the photos that are JPEGs one in so many; `npm run test:portability` takes more. */
const EVERY = '60';

/** The drawn photos, and where they are there the real ones. */
const PHOTOS = [join(ROOT, 'manifests/sample/images'), shared('data/oid-mini/images')];

async function cut(binary: string, folder: string): Promise<Report> {
  const script = join(folder, 'test/portability/crop-digest.mjs');
  const args = [script, EVERY, ...PHOTOS.filter((path) => existsSync(path))];
  const { stdout } = await promisify(execFile)(binary, args);
  return JSON.parse(stdout) as Report;
}

const arm64 = process.env['PKG_ARM64_NODE'] ?? '';

describeWith('Node for arm64', arm64)('crops and inputs of a network', () => {
  it('have the same bytes on arm64', async () => {
    const folder = await temporaryFolder();
    for (const path of ['dist', 'package.json', 'test/portability']) {
      await cp(join(ROOT, path), join(folder, path), { recursive: true });
    }
    await symlink(resolve(arm64, '../../node_modules'), join(folder, 'node_modules'));
    const { runtime, ...expected } = await cut(process.execPath, ROOT);
    const { runtime: other, ...there } = await cut(arm64, folder);
    expect([runtime, other]).toEqual([
      expect.not.stringContaining('arm64'),
      expect.stringContaining('arm64'),
    ]);
    expect(there).toEqual(expected);
    expect(there.crops).toBeGreaterThan(0);
  });
});
