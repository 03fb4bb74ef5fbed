/** An install that was broken off goes on where it stopped, also within a large file. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { failureOf } from '../registry/registry-contract.ts';
import { asFound, filesBelow, noise } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { withRegistry } from './installing.ts';

const LARGE_BYTES = 40 * 2 ** 20;
const FILES = { large: noise(LARGE_BYTES, 8), small: 'small' };

/** An install that ended when it had read about `afterBytes`. */
async function brokenInstall(afterBytes: number) {
  const setup = await withRegistry(FILES);
  const folder = setup.folder('a');
  setup.registry.onRead = (readBytes) => {
    if (readBytes >= afterBytes) throw new PkgError('unreachable', 'the cable was cut');
  };
  expect(await failureOf(setup.install(folder))).toMatchObject({
    code: 'unreachable',
  });
  setup.registry.onRead = () => undefined;
  expect(Object.keys(await filesBelow(folder))).not.toContain('large');
  const partials = join(folder, '.pkg/partial');
  const [name = ''] = await readdir(partials);
  return { ...setup, folder, partial: join(partials, name) };
}

it('fetches less than a twentieth again', async () => {
  const { install, folder, registry, partial } = await brokenInstall(25 * 2 ** 20);
  const readBefore = registry.readBytes;
  expect((await readFile(partial)).length).toBeGreaterThan(20 * 2 ** 20);
  const result = await install(folder);
  expect(result).toMatchObject({ entries: 2 });
  expect(await filesBelow(folder)).toEqual(asFound(FILES));
  expect(registry.readBytes).toBeLessThan(1.05 * LARGE_BYTES);
  expect(result.fetchedBytes).toBeLessThan(LARGE_BYTES + 5 - readBefore + 2 ** 21);
  expect(await readdir(join(folder, '.pkg'))).not.toContain('partial');
});

it('begins anew where what had arrived was damaged', async () => {
  const { install, folder, partial } = await brokenInstall(25 * 2 ** 20);
  const bytes = await readFile(partial);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  await writeFile(partial, bytes);
  const result = await install(folder);
  expect(result.fetchedBytes).toBeGreaterThanOrEqual(LARGE_BYTES);
  expect(await filesBelow(folder)).toEqual(asFound(FILES));
});

it('takes what had arrived whole, if it is right, and never what is too long', async () => {
  const { install, folder, partial } = await brokenInstall(10 * 2 ** 20);
  await writeFile(partial, FILES.large);
  expect((await install(folder)).fetchedBytes).toBeLessThanOrEqual(5);
  expect(await filesBelow(folder)).toEqual(asFound(FILES));
});

it.each([
  ['other bytes of the same size', noise(LARGE_BYTES, 9)],
  ['too many bytes', Buffer.concat([FILES.large, Buffer.from('x')])],
])('fetches the file again where %s had arrived', async (_, bytes) => {
  const { install, folder, partial } = await brokenInstall(10 * 2 ** 20);
  await writeFile(partial, bytes);
  expect((await install(folder)).fetchedBytes).toBeGreaterThanOrEqual(LARGE_BYTES);
  expect(await filesBelow(folder)).toEqual(asFound(FILES));
});

it('writes nothing through a link in place of the partial files', async () => {
  const { install, folder } = await withRegistry(FILES);
  const outside = await temporaryFolder();
  await mkdir(join(folder('a'), '.pkg'), { recursive: true });
  await symlink(outside, join(folder('a'), '.pkg/partial'));
  expect(await failureOf(install(folder('a')))).toMatchObject({ code: 'integrity' });
  expect(await readdir(outside)).toEqual([]);
});
