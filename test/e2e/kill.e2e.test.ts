/** Kills at random moments: what had arrived is kept, and nothing wrong is left behind. */
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseJsonl } from '../../src/package/jsonl.ts';
import type { Package } from '../../src/package/package.ts';
import { checkFile, OWN_FOLDER } from '../../src/package/verify.ts';
import { fileBytes } from '../../src/store/digest.ts';
import { runCli, runJson, startCli } from '../support/cli.ts';
import { chooseOidClasses, writeOidManifest } from '../support/oid.ts';
import { testRuntime } from '../support/runtime.ts';
import { startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

const KILLS = 20;

/** Requests that can be under way at the moment of a kill: the manifest's concurrency. */
const CONCURRENCY = 4;

/** Kills a command after `delayMs` unless it ends before, and says which it was. */
async function killAfter(args: readonly string[], delayMs: number): Promise<'killed' | 'ended'> {
  const child = startCli(args);
  child.stdout?.resume();
  child.stderr?.resume();
  const ended = new Promise<'ended'>((resolve) => child.once('close', () => resolve('ended')));
  const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), delayMs));
  if ((await Promise.race([ended, late])) === 'ended') return 'ended';
  child.kill('SIGKILL');
  await ended;
  return 'killed';
}

/** A repeatable stream of delays. */
function* delays(seed: number, maxMs: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 48_271) % 2_147_483_647;
    yield 50 + (state % maxMs);
  }
}

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('a command that is killed', () => {
  let server: Awaited<ReturnType<typeof startImageServer>>;
  let work: string;
  let reference: { topHash: string };
  const classes = [...chooseOidClasses().values()];
  const fetch = `{ requestsPerSecond: 60, concurrency: ${String(CONCURRENCY)} }`;

  beforeAll(async () => {
    server = await startImageServer({ args: ['--latency-ms', '10'] });
    work = await temporaryFolder();
    const manifest = await writeOidManifest(work, { baseUrl: server.url, classes, fetch });
    const store = ['--store', join(work, 'reference-store')];
    reference = await runJson<{ topHash: string }>(['build', manifest, ...store]);
    await runJson(['push', 'test/oid', ...store, '--registry', join(work, 'registry')]);
  });
  afterAll(() => server.stop());

  it('builds the same package after 20 kills, and fetches no photo twice that had arrived', async () => {
    const photos = Object.keys((await server.stats()).paths).length;
    const moments = delays(11, 1400);
    for (let kills = 0; kills < KILLS; ) {
      const folder = await temporaryFolder();
      const manifest = await writeOidManifest(folder, { baseUrl: server.url, classes, fetch });
      const args = ['build', manifest, '--store', join(folder, 'store')];
      const before = await server.stats();
      const killsBefore = kills;
      while (kills < KILLS && (await killAfter(args, nextOf(moments))) === 'killed') kills++;
      const built = await runJson<{ topHash: string }>(args);
      expect(built.topHash).toBe(reference.topHash);
      const asked = (await server.stats()).image_requests - before.image_requests;
      expect(asked).toBeLessThanOrEqual(photos + (kills - killsBefore) * CONCURRENCY);
    }
  });

  it('never leaves a wrong file at its final name while installing, and ends well', async () => {
    const registry = join(work, 'registry');
    const install = (folder: string) => [
      ...['install', 'test/oid', '--registry', registry, '--dest', folder],
    ];
    const startMs = performance.now();
    await runJson(install(join(await temporaryFolder(), 'undisturbed')));
    const moments = delays(5, Math.ceil(performance.now() - startMs));
    let begun = 0;
    for (let kills = 0; kills < KILLS; ) {
      const folder = join(await temporaryFolder(), 'installed');
      while (kills < KILLS && (await killAfter(install(folder), nextOf(moments))) === 'killed') {
        kills++;
        if (!existsSync(folder)) continue;
        begun++;
        await expectOnlyRightFiles(folder, registry, reference.topHash);
      }
      const result = await runJson<{ topHash: string }>(install(folder));
      expect(result.topHash).toBe(reference.topHash);
      expect((await runCli(['verify', folder])).exitCode).toBe(0);
    }
    expect(begun).toBeGreaterThan(0);
  });
});

function nextOf(moments: Iterator<number, never>): number {
  return moments.next().value;
}

async function expectOnlyRightFiles(
  folder: string,
  registry: string,
  topHash: string,
): Promise<void> {
  const runtime = testRuntime();
  const list = join(registry, '.quilt/packages', topHash);
  const pkg: Package = await parseJsonl(fileBytes(list, runtime.signal), list);
  const entries = new Map([...pkg.entries].map((entry) => [entry.logicalKey, entry]));
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const key = join(item.parentPath, item.name).slice(folder.length + 1);
    if (!item.isFile() || key.startsWith(OWN_FOLDER)) continue;
    const entry = entries.get(key);
    expect(entry, key).toBeDefined();
    if (entry !== undefined) {
      expect(await checkFile(runtime, entry, join(folder, key)), key).toBe('same');
    }
  }
  const notes = join(folder, OWN_FOLDER, 'installed.json');
  if (existsSync(notes)) JSON.parse(readFileSync(notes, 'utf8'));
}
