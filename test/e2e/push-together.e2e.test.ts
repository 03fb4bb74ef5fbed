/** Eight processes that push to one name at once: each ends in the history or with 16, none is lost. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Policy, writeSettings } from '../../src/objects/settings.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { IF_ABSENT, type Storage } from '../../src/storage/storage.ts';
import { withServer } from '../registry/interop-server.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, useServer } from '../support/s3-buckets.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { readWhole } from '../support/whole-registry.ts';

const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw' } = process.env;

const PUSHES = 8;
const NAME = 'me/raced';
const CONFLICT = 16;

/** A registry that processes reach by arguments and environment, and this one by its storage. */
interface Place {
  readonly storage: Storage;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Lets the next pushes begin only once as many of them have seen what is latest. */
  holdAtLatest(pushes: number): void;
  /** Counts a push that has ended as one that has seen it. */
  ended(): void;
  stop(): Promise<void>;
}

/** What a push has in its folder, by the number of the push. */
type ContentOf = (index: number) => string;

interface Outcome extends CliResult {
  /** Undefined where the push failed. */
  readonly topHash: string | undefined;
}

async function pushAtOnce(
  place: Place,
  contentOf: ContentOf,
  flags: readonly string[] = [],
  pushes = PUSHES,
): Promise<readonly Outcome[]> {
  const folder = await temporaryFolder();
  const one = async (index: number): Promise<Outcome> => {
    const dir = join(folder, String(index));
    await mkdir(dir);
    await writeFile(join(dir, 'file'), contentOf(index));
    await writeFile(join(dir, 'common'), 'the same in all');
    const args = ['push', NAME, '--dir', dir, '--store', join(folder, 'store'), '--json'];
    const result = await runCli([...args, ...flags, ...place.args], { env: place.env });
    place.ended();
    const { topHash } =
      result.exitCode === 0
        ? (JSON.parse(result.stdout) as { readonly topHash: string })
        : { topHash: undefined };
    return { ...result, topHash };
  };
  return await Promise.all(Array.from({ length: pushes }, (_, index) => one(index)));
}

/** The top hashes of those that ended well; every other one has to be a conflict. */
function winnersOf(outcomes: readonly Outcome[]): readonly string[] {
  for (const { exitCode, stderr } of outcomes) expect([0, CONFLICT], stderr).toContain(exitCode);
  return outcomes.map(({ topHash }) => topHash).filter((hash) => hash !== undefined);
}

const sorted = (hashes: readonly string[]) => [...hashes].sort();

/** What every registry has to do. */
function togetherContract(setUp: (policy: Policy) => Promise<Place>): void {
  const policies: readonly Policy[] = ['packs', 'objects'];

  const withPlace = async (policy: Policy, work: (place: Place) => Promise<void>) => {
    const place = await setUp(policy);
    try {
      await work(place);
    } finally {
      await place.stop();
    }
  };

  it.each(policies)(
    'keeps under %s those that end well, and no trace of the others',
    async (policy) => {
      await withPlace(policy, async (place) => {
        const all: string[] = [];
        for (const round of [1, 2]) {
          if (round === 2) place.holdAtLatest(PUSHES);
          const outcomes = await pushAtOnce(place, (index) => `${String(round)} ${String(index)}`);
          const winners = winnersOf(outcomes);
          expect(winners.length).toBeGreaterThan(0);
          all.push(...winners);
          const { history, latest } = await readWhole(place.storage, NAME);
          expect(sorted(history)).toEqual(sorted(all));
          expect(winners).toContain(latest);
        }
      });
    },
  );

  it.each(policies)('loses under %s none of those that are forced', async (policy) => {
    await withPlace(policy, async (place) => {
      place.holdAtLatest(PUSHES);
      const outcomes = await pushAtOnce(place, (index) => `forced ${String(index)}`, ['--force']);
      const winners = winnersOf(outcomes);
      expect(winners).toHaveLength(PUSHES);
      const { history, latest } = await readWhole(place.storage, NAME);
      expect(sorted(history)).toEqual(sorted(winners));
      expect(winners).toContain(latest);
    });
  });

  it('lets exactly one go on top of a given parent', async () => {
    await withPlace('packs', async (place) => {
      const all: string[] = [];
      for (let parent = 'none', round = 0; round < 3; round++) {
        if (round > 0) place.holdAtLatest(PUSHES);
        const contentOf = (index: number) => `on ${parent}: ${String(index)}`;
        const winners = winnersOf(await pushAtOnce(place, contentOf, ['--parent', parent]));
        expect(winners).toHaveLength(1);
        parent = winners[0] ?? '';
        all.push(parent);
        const { history, latest } = await readWhole(place.storage, NAME);
        expect(sorted(history)).toEqual(sorted(all));
        expect(latest).toBe(parent);
      }
    });
  });

  it.each(policies)('takes under %s the same package from all of them', async (policy) => {
    await withPlace(policy, async (place) => {
      const [before] = winnersOf(await pushAtOnce(place, () => 'before', [], 1));
      place.holdAtLatest(PUSHES);
      const winners = winnersOf(await pushAtOnce(place, () => 'the same'));
      expect(winners).toHaveLength(PUSHES);
      const [same] = winners;
      const { history, latest } = await readWhole(place.storage, NAME);
      expect(new Set(winners)).toEqual(new Set([same]));
      expect(latest).toBe(same);
      expect(new Set(history)).toEqual(new Set([before, same]));
    });
  });
}

describe('pushes at once into a folder', () => {
  togetherContract(async (policy) => {
    const root = join(await temporaryFolder(), 'registry');
    await mkdir(root);
    const storage = new DirectoryStorage(testRuntime(), root);
    await writeSettings(storage, { policy, looseObjects: false }, IF_ABSENT);
    return {
      ...{ storage, args: ['--registry', root], env: {} },
      holdAtLatest: () => undefined,
      ended: () => undefined,
      stop: () => Promise.resolve(),
    };
  });
});

describeWith(`the S3 server ${kind}`, binary)(`pushes at once to ${kind}`, () => {
  const server = withServer();
  beforeAll(() => useServer(server()));

  togetherContract(async (policy) => {
    const bucket = await makeBucket(server().owner);
    let [left, open]: [number, () => void] = [0, () => undefined];
    let gate = Promise.resolve();
    const arrive = () => {
      if (left > 0 && --left === 0) open();
    };
    const proxy = await startFaultyProxy(server().url, async ({ method, path }) => {
      if (left > 0 && method === 'GET' && path.endsWith(`${NAME}/latest`)) {
        arrive();
        await gate;
      }
      return { kind: 'none' };
    });
    const location = { bucket, endpoint: server().url, region: 'us-east-1' };
    const storage = await openS3Storage(testRuntime(), location);
    await writeSettings(storage, { policy, looseObjects: false }, IF_ABSENT);
    return {
      storage,
      args: ['--registry', `s3://${bucket}`, '--endpoint', proxy.url],
      env: server().env,
      holdAtLatest: (pushes) => {
        left = pushes;
        gate = new Promise((resolve) => (open = resolve));
      },
      ended: arrive,
      stop: () => proxy.stop(),
    };
  });
});
