/** Being told to stop: a clean end with the right exit code. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCli } from '../support/cli.ts';
import { chooseOidClasses, writeOidManifest } from '../support/oid.ts';
import { startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('a build that is told to stop', () => {
  let server: Awaited<ReturnType<typeof startImageServer>>;
  beforeAll(async () => {
    server = await startImageServer();
  });
  afterAll(() => server.stop());

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends with %i, one sentence and no leftovers', async (signal, exitCode) => {
    const folder = await temporaryFolder();
    const manifest = await writeOidManifest(folder, {
      baseUrl: server.url,
      classes: chooseOidClasses().values(),
      fetch: '{ requestsPerSecond: 5 }',
    });
    const asked = (await server.stats()).image_requests;
    const child = startCli(['build', manifest, '--store', join(folder, 'store')]);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    while ((await server.stats()).image_requests < asked + 3) {
      await new Promise((later) => setTimeout(later, 50));
    }
    child.kill(signal);
    expect(await ended).toBe(exitCode);
    expect(stderr).toMatch(/^error: (interrupted|terminated); what is done so far is kept\n$/);
    expect(await readdir(join(folder, 'store/v1/tmp'))).toEqual([]);
  });
});

it('a command whose reader has had enough ends in silence', async () => {
  const child = startCli(['init', 'user/name', '--dir', await temporaryFolder()]);
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});
