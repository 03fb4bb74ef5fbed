/** Pushes that are killed at random moments: the registry stays whole, and the next push goes on. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyRegistry } from '../../src/inspection/verify-registry.ts';
import { LATEST, pointerKey } from '../../src/objects/layout.ts';
import { type Policy, writeSettings } from '../../src/objects/settings.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { eachLimit } from '../../src/runtime/concurrency.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { IF_ABSENT, type Storage } from '../../src/storage/storage.ts';
import { withServer } from '../registry/interop-server.ts';
import { push } from '../registry/registry-contract.ts';
import { startCli } from '../support/cli.ts';
import { sentAgain, takenBy } from '../support/content-traffic.ts';
import { fraction } from '../support/fault-schedule.ts';
import { type Exchange, type Fault, startFaultyProxy } from '../support/faulty-proxy.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, useServer } from '../support/s3-buckets.ts';
import { type Files, noise, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { readWhole, type ShownRevisions } from '../support/whole-registry.ts';

const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw' } = process.env;

const KILLS = 50;
const AT_ONCE = 2;
const NAME = 'user/killed';

/** Of what had arrived, the next push sends less than this share again. */
const MAX_AGAIN = 0.05;

const FILES: Files = {
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `data/${String(index)}.bin`,
      noise(300 * (index + 1), index + 1),
    ]),
  ),
  'large/nine': noise(9 * 2 ** 20, 201),
  'large/seventeen': noise(17 * 2 ** 20, 202),
};
const EARLIER = samplePackage({ 'data/0.bin': 'another', 'data/old': noise(5000, 77) });

/** When a push is killed: after a share of the time or of the requests that it takes. */
interface Moment {
  readonly by: 'time' | 'requests';
  readonly share: number;
  /** Whether the request at which it is killed still reaches the server. */
  readonly reaches: boolean;
}

/** How long a push takes from its first request on, and how many requests. */
interface Course {
  readonly topHash: string;
  readonly durationMs: number;
  readonly requests: number;
}

function momentOf(index: number, attempt: number): Moment {
  return {
    by: index % 4 < 2 ? 'time' : 'requests',
    share: fraction('moment', index, attempt),
    reaches: fraction('reaches', index, attempt) < 0.5,
  };
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * The check of a registry finds nothing but what is too much, which a killed push may leave. Between
 * its two pointers, a first push leaves a revision that is not the latest yet.
 */
async function expectNoDamage(storage: Storage, { latest }: ShownRevisions): Promise<void> {
  for await (const finding of verifyRegistry(testRuntime(), storage)) {
    if (latest === undefined && finding.key === pointerKey(NAME, LATEST)) continue;
    expect(finding.kind, JSON.stringify(finding)).toBe('extra');
  }
}

describeWith(`the S3 server ${kind}`, binary)(`pushes to ${kind} that are killed`, () => {
  const server = withServer();
  let work: string;
  const courses = new Map<Policy, Course>();

  /** A bucket of a policy, behind a proxy that counts, and whose choice of faults can be changed. */
  const setUp = async (policy: Policy, hasEarlier: boolean) => {
    const bucket = await makeBucket(server().owner);
    let choose: ((exchange: Exchange) => Fault) | undefined;
    const proxy = await startFaultyProxy(
      server().url,
      (exchange) => choose?.(exchange) ?? { kind: 'none' },
    );
    const location = { bucket, endpoint: server().url, region: 'us-east-1' };
    const direct = await openS3Storage(testRuntime(), location);
    await writeSettings(direct, { policy, looseObjects: false }, IF_ABSENT);
    if (hasEarlier) await push(direct, EARLIER, NAME);
    const args = [
      ...['push', NAME, '--dir', join(work, 'files'), '--store', join(work, 'store'), '--json'],
      ...['--registry', `s3://${bucket}`, '--endpoint', proxy.url],
    ];
    const startPush = () => {
      const child = startCli(args, { env: server().env });
      let [stdout, stderr] = ['', ''];
      child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
      child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      return { child, ended, stdout: () => stdout, stderr: () => stderr };
    };
    const end = async () => {
      await proxy.stop();
      const keys: string[] = [];
      for await (const { key } of direct.list('')) keys.push(key);
      await direct.remove(keys);
      await direct.abandonUploads(Date.now() + 60_000, 'remove');
    };
    return {
      direct,
      proxy,
      startPush,
      end,
      setFaults: (faults: typeof choose) => (choose = faults),
    };
  };

  type Place = Awaited<ReturnType<typeof setUp>>;

  const pushWhole = async ({ startPush }: Place): Promise<string> => {
    const { ended, stdout, stderr } = startPush();
    expect(await ended, stderr()).toBe(0);
    return (JSON.parse(stdout()) as { readonly topHash: string }).topHash;
  };

  /** Kills a push at a moment; false where it had ended by then. */
  const pushKilled = async (place: Place, moment: Moment, course: Course): Promise<boolean> => {
    const { child, ended } = place.startPush();
    const kill = () => child.kill('SIGKILL');
    const last = 1 + Math.floor(moment.share * course.requests);
    let seen = 0;
    place.setFaults(() => {
      seen++;
      if (moment.by === 'time') {
        if (seen === 1) setTimeout(kill, moment.share * course.durationMs);
      } else if (seen >= last) {
        kill();
        if (!moment.reaches) return { kind: 'reset' };
      }
      return { kind: 'none' };
    });
    const exitCode = await ended;
    place.setFaults(undefined);
    return exitCode === null;
  };

  beforeAll(async () => {
    useServer(server());
    work = await temporaryFolder();
    await writeFiles(join(work, 'files'), FILES);
    for (const policy of ['packs', 'objects'] as const) {
      const place = await setUp(policy, false);
      let startMs = 0;
      place.setFaults(() => {
        if (startMs === 0) startMs = performance.now();
        return { kind: 'none' };
      });
      const hash = await pushWhole(place);
      const durationMs = performance.now() - startMs;
      courses.set(policy, { topHash: hash, durationMs, requests: place.proxy.exchanges.length });
      await place.end();
    }
  });

  it('show whole revisions only, and the next push sends little of what had arrived', async () => {
    const moments = { killed: 0, shown: 0, begun: 0 };
    const failures: string[] = [];
    let [arrivedBytes, againBytes] = [0, 0];

    const playOnce = async (index: number, attempt: number): Promise<boolean> => {
      const policy = index % 2 === 0 ? 'packs' : 'objects';
      const hasEarlier = index % 5 < 2;
      const course = courses.get(policy);
      if (course === undefined) throw new Error(`no push under ${policy} was measured`);
      const place = await setUp(policy, hasEarlier);
      const { direct, proxy } = place;
      const before = proxy.exchanges.length;
      const isKilled = await pushKilled(place, momentOf(index, attempt), course);
      const earlier = hasEarlier ? topHash(EARLIER.pkg) : undefined;
      const shown = await readWhole(direct, NAME);
      expect([earlier, course.topHash]).toContain(shown.latest);
      await expectNoDamage(direct, shown);
      const between = proxy.exchanges.length;
      expect(await pushWhole(place)).toBe(course.topHash);
      const after = await readWhole(direct, NAME);
      await expectNoDamage(direct, after);
      expect(after.latest).toBe(course.topHash);
      expect(new Set(after.history)).toEqual(
        new Set([earlier, course.topHash].filter((hash) => hash !== undefined)),
      );
      const again = sentAgain(
        takenBy(proxy.exchanges.slice(before, between)),
        takenBy(proxy.exchanges.slice(between)),
      );
      arrivedBytes += again.arrivedBytes;
      againBytes += again.againBytes;
      if (again.arrivedBytes > 0) moments.begun++;
      if (shown.latest === course.topHash) moments.shown++;
      await place.end();
      return isKilled;
    };

    const kills = Array.from({ length: KILLS }, (_, index) => index);
    await eachLimit(kills, AT_ONCE, async (index) => {
      let attempt = 0;
      try {
        while (!(await playOnce(index, attempt))) attempt++;
        moments.killed++;
      } catch (error) {
        const moment = JSON.stringify(momentOf(index, attempt));
        failures.push(`kill ${String(index)} at ${moment}: ${describeError(error)}`);
      }
    });
    expect(failures.join('\n\n')).toBe('');
    expect(moments.killed).toBe(KILLS);
    expect(moments.begun).toBeGreaterThan(KILLS / 5);
    expect(againBytes, `of ${String(arrivedBytes)} bytes`).toBeLessThanOrEqual(
      MAX_AGAIN * arrivedBytes,
    );
    if (process.env['PKG_FAULT_SEED'] !== undefined) {
      process.stderr.write(`${JSON.stringify({ ...moments, arrivedBytes, againBytes })}\n`);
    }
  });

  afterAll(() => courses.clear());
});
