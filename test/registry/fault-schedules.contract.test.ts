/** A hundred networks that fail in a hundred ways: nothing wrong is ever left, and a retry goes on. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSettings } from '../../src/objects/settings.ts';
import type { TopHash } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { eachLimit } from '../../src/runtime/concurrency.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { type Clock, systemClock } from '../../src/runtime/runtime.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { IF_ABSENT, type Storage } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { contentKey, sentAgain, takenBy } from '../support/content-traffic.ts';
import { type FaultSchedule, faultSchedule } from '../support/fault-schedule.ts';
import {
  type Exchange,
  type Fault,
  type FaultyProxy,
  startFaultyProxy,
} from '../support/faulty-proxy.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, useServer } from '../support/s3-buckets.ts';
import {
  asFound,
  type Files,
  filesBelow,
  noise,
  type SamplePackage,
  samplePackage,
} from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { startToxiproxy, TOXIPROXY_BINARY, type Toxiproxy } from '../support/toxiproxy.ts';
import { readPointers, readWhole } from '../support/whole-registry.ts';
import { install } from './install-contract.ts';
import { withServer } from './interop-server.ts';
import { push } from './registry-contract.ts';

const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw', PKG_FAULT_SEED } = process.env;

const SCHEDULES = 100;
const AT_ONCE = 4;
const NAME = 'user/name';

/** How long a client of these tests waits for an answer. */
const SILENCE_MS = 1000;

/** Of what had arrived, a retry transfers less than this share again. */
const MAX_AGAIN = 0.05;

const SMALL_FILES: Files = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [
    `data/${String(index % 4)}/${String(index)}.bin`,
    noise(200 + 150 * index, index + 1),
  ]),
);
const LARGE = noise(20 * 2 ** 20, 101);

/** A package that is pushed and installed, with what an install of it has to leave. */
interface Subject extends SamplePackage {
  readonly topHash: TopHash;
  readonly totalBytes: number;
  readonly found: Readonly<Record<string, string>>;
}

/** Under `packs` each fills more than one pack; under `objects` the large files go in parts. */
const [USUAL, LARGER] = [
  {
    'large/nine': LARGE.subarray(1, 1 + 9 * 2 ** 20),
    'large/seven': LARGE.subarray(-7.5 * 2 ** 20),
  },
  { 'large/nine': LARGE.subarray(1, 1 + 9 * 2 ** 20), 'large/twenty': LARGE },
].map((large) => subjectOf({ ...SMALL_FILES, ...large })) as [Subject, Subject];

function subjectOf(files: Files): Subject {
  const sample = samplePackage(files);
  const totalBytes = Object.values(files).reduce((sum, content) => sum + content.length, 0);
  return { ...sample, topHash: topHash(sample.pkg), totalBytes, found: asFound(files) };
}

const EARLIER = samplePackage({ 'data/0/0.bin': 'another', 'data/old': noise(5000, 77) });

/** What was transferred and transferred again, of all schedules. */
const tally = { operations: 0, failed: 0, arrivedBytes: 0, againBytes: 0 };

/** Waits a hundredth of what it is asked for, so that pauses between tries cost nothing. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  sleep: (delayMs, signal) => systemClock.sleep(delayMs / 100, signal),
};

/** A client that does not wait long, neither for answers nor between tries. */
async function openImpatient(bucket: string, endpoint: string): Promise<Storage> {
  const location = { bucket, endpoint, region: 'us-east-1', silenceMs: SILENCE_MS };
  return await openS3Storage(testRuntime({ clock: hastyClock }), location);
}

/** One schedule with all that it is played on. */
interface Play {
  readonly schedule: FaultSchedule;
  readonly subject: Subject;
  readonly direct: Storage;
  /** Past the faults, but counted. */
  readonly counted: Storage;
  readonly faulty: Storage;
  readonly proxy: FaultyProxy;
  /** Lets faults happen as the schedule has them for an operation, or none. */
  setFaults(choose: ((exchange: Exchange) => Fault) | undefined): void;
  readonly policy: 'packs' | 'objects';
  readonly hasEarlier: boolean;
}

/** Ends right, or as a failure of the network does. */
async function endsRight(play: Play, operation: 'push' | 'install', work: () => Promise<unknown>) {
  const requests = { packs: { push: 16, install: 8 }, objects: { push: 90, install: 70 } };
  play.setFaults(play.schedule.begin(operation, requests[play.policy][operation]));
  tally.operations++;
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'unreachable') throw error;
    tally.failed++;
    return false;
  } finally {
    play.setFaults(undefined);
  }
}

function noteAgain(what: string, arrivedBytes: number, againBytes: number, ofBytes: number): void {
  tally.arrivedBytes += arrivedBytes;
  tally.againBytes += againBytes;
  const share = `${String(againBytes)} of ${String(arrivedBytes)} bytes that had arrived`;
  expect(againBytes, `${what} again: ${share}`).toBeLessThanOrEqual(MAX_AGAIN * ofBytes);
}

async function playPush(play: Play): Promise<void> {
  const { subject, direct, counted, faulty, proxy, hasEarlier } = play;
  const before = proxy.exchanges.length;
  const isPushed = await endsRight(play, 'push', () => push(faulty, subject));
  // Every byte of what was pushed is read by the install that follows.
  const { latest } = await (isPushed ? readPointers : readWhole)(direct, NAME);
  const earlier = hasEarlier ? [topHash(EARLIER.pkg)] : [];
  if (isPushed) expect(latest).toBe(subject.topHash);
  else expect([subject.topHash, earlier[0]]).toContain(latest);
  const arrived = takenBy(proxy.exchanges.slice(before));
  const between = proxy.exchanges.length;
  await push(counted, subject);
  const { arrivedBytes, againBytes } = sentAgain(arrived, takenBy(proxy.exchanges.slice(between)));
  noteAgain('sent', arrivedBytes, againBytes, arrivedBytes);
  const { history } = await readPointers(direct, NAME);
  expect(history.at(-1)).toBe(subject.topHash);
  expect(new Set(history)).toEqual(new Set([...earlier, subject.topHash]));
}

/** Bytes that an install has in a folder: files at their names, all of them right, and parts of files. */
async function arrivedIn(folder: string, { files, found }: Subject): Promise<number> {
  if (!existsSync(folder)) return 0;
  let sizeBytes = 0;
  for (const [key, word] of Object.entries(await filesBelow(folder))) {
    expect(word, key).toBe(found[key]);
    sizeBytes += files[key]?.length ?? 0;
  }
  const partial = join(folder, '.pkg/partial');
  if (!existsSync(partial)) return sizeBytes;
  for (const name of await readdir(partial)) sizeBytes += (await stat(join(partial, name))).size;
  return sizeBytes;
}

/** Every object of a store has the bytes of its name. */
async function checkStore(store: Store): Promise<void> {
  const objects = join(store.path(digestOf('')), '../..');
  if (!existsSync(objects)) return;
  for (const item of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    expect(digestOf(await readFile(join(item.parentPath, item.name)))).toBe(item.name);
  }
}

async function playInstall(play: Play): Promise<void> {
  const { schedule, subject, counted, faulty, proxy } = play;
  const { totalBytes, found } = subject;
  const root = await temporaryFolder();
  const folder = join(root, 'installed');
  const store =
    schedule.seed % 3 === 0 ? undefined : await openStore(join(root, 'store'), Date.now());
  const runtime = testRuntime({ clock: hastyClock });
  const isInstalled = await endsRight(play, 'install', () =>
    install(faulty, folder, { runtime, store }),
  );
  const arrivedBytes = await arrivedIn(folder, subject);
  if (isInstalled) expect(arrivedBytes).toBe(totalBytes);
  else if (store !== undefined) await checkStore(store);
  const between = proxy.exchanges.length;
  await install(counted, folder, { store });
  if (!isInstalled) expect(await filesBelow(folder)).toEqual(found);
  const fetchedBytes = proxy.exchanges
    .slice(between)
    .filter((passed) => passed.method === 'GET' && contentKey(passed) !== undefined)
    .reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  const againBytes = Math.max(0, fetchedBytes - (totalBytes - arrivedBytes));
  noteAgain('fetched', arrivedBytes, againBytes, totalBytes);
  await rm(root, { recursive: true, force: true });
}

async function emptyBucket(direct: Storage): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of direct.list('')) keys.push(key);
  await direct.remove(keys);
  await direct.abandonUploads(Date.now() + 60_000, 'remove');
}

describeWith(`the S3 server ${kind}`, binary)(`pushes to ${kind} and installs under faults`, () => {
  const server = withServer();
  let toxiproxy: Toxiproxy | undefined;

  beforeAll(async () => {
    useServer(server());
    if (TOXIPROXY_BINARY === '') {
      process.stderr.write('SKIPPED: Toxiproxy is missing, and so are the faults that it makes.\n');
    } else toxiproxy = await startToxiproxy(TOXIPROXY_BINARY);
  });
  afterAll(() => toxiproxy?.stop());

  const play = async (seed: number): Promise<void> => {
    const schedule = faultSchedule(seed);
    const bucket = await makeBucket(server().owner);
    let choose: ((exchange: Exchange) => Fault) | undefined;
    const proxy = await startFaultyProxy(
      server().url,
      (exchange) => choose?.(exchange) ?? { kind: 'none' },
    );
    const toxic =
      schedule.toxics.length === 0 ? undefined : await toxiproxy?.open(proxy.url, schedule.toxics);
    const open = (endpoint: string) =>
      openS3Storage(testRuntime(), { bucket, endpoint, region: 'us-east-1' });
    const direct = await open(server().url);
    const policy = seed % 2 === 0 ? 'packs' : 'objects';
    const hasEarlier = seed % 5 === 0;
    await writeSettings(direct, { policy, looseObjects: false }, IF_ABSENT);
    if (hasEarlier) await push(direct, EARLIER);
    const playing: Play = {
      ...{ schedule, direct, proxy, policy, hasEarlier },
      subject: seed % 5 === 1 ? LARGER : USUAL,
      counted: await open(proxy.url),
      faulty: await openImpatient(bucket, toxic?.url ?? proxy.url),
      setFaults: (faults) => (choose = faults),
    };
    try {
      await playPush(playing);
      await playInstall(playing);
    } finally {
      await toxic?.stop();
      await proxy.stop();
      await emptyBucket(direct);
    }
  };

  it('end right or as a bad network, leave nothing wrong, and go on from what had arrived', async () => {
    const all = Array.from({ length: SCHEDULES }, (_, index) => index + 1);
    const seeds = PKG_FAULT_SEED === undefined ? all : PKG_FAULT_SEED.split(',').map(Number);
    const failures: string[] = [];
    await eachLimit(seeds, AT_ONCE, async (seed) => {
      try {
        await play(seed);
      } catch (error) {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        failures.push(`alone with PKG_FAULT_SEED=${String(seed)}: ${why}`);
      }
    });
    expect(failures.join('\n\n')).toBe('');
    expect(tally.againBytes).toBeLessThanOrEqual(MAX_AGAIN * tally.arrivedBytes);
    if (seeds === all) expect(tally.failed).toBeGreaterThan(tally.operations / 4);
    if (PKG_FAULT_SEED !== undefined) process.stderr.write(`${JSON.stringify(tally)}\n`);
  });
});
