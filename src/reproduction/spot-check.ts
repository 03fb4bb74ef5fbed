/** The spot check: random stretches of a packaged training done again, and held against its chain. */
import { isLinked, LINK_ITERATIONS, nextLink, updatesOf } from '../classifier/fit.ts';
import type { OpenedPackage } from '../installation/opened-package.ts';
import { entryUnder } from '../installation/opened-package.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import { type Progress, startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { openPackagedTraining, type PackagedTraining } from './packaged-training.ts';
import type { Segment, SpotCheck } from './reproduction.ts';

/**
 * Does `count` segments of a package's training again, drawn at random, or all where it has fewer. A
 * segment lies between two links of the chain; it is reached from the nearest state that is known: the
 * start, which the seed gives, or a snapshot.
 * @throws PkgError `not-found` where there is no such training, `integrity` for damaged files.
 */
export async function spotCheck(
  runtime: Runtime,
  store: Store,
  opened: OpenedPackage,
  count: number,
): Promise<SpotCheck> {
  const training = await openPackagedTraining(runtime, store, opened);
  try {
    const findings = chainFindings(training);
    const { links } = training.replay;
    if (findings.length === 0) {
      for (const snapshot of training.replay.snapshots) await readSnapshot(training, snapshot);
    }
    const drawn = findings.length > 0 ? [] : drawSegments(links.length, count, runtime.random);
    const replayed = await replaySegments(runtime, training, drawn);
    const all = [...findings, ...replayed.findings];
    const { name, topHash } = opened;
    return {
      ...{ name, topHash, segments: links.length, checked: replayed.checked },
      ...{ weights: replayed.weights, findings: all, proved: all.length === 0 },
    };
  } finally {
    await training.close();
  }
}

/** What the chain itself says against it, before anything is done again. */
function chainFindings({ replay, iterationsPerEpoch, plan }: PackagedTraining): readonly string[] {
  const { links, result, snapshots } = replay;
  const last = links.at(-1)?.iteration ?? 0;
  const isComplete = links.every(
    ({ iteration }, index) =>
      iteration === nextLinked(links[index - 1]?.iteration ?? 0, iterationsPerEpoch),
  );
  if (
    last % iterationsPerEpoch !== 0 ||
    last > plan.fit.epochs * iterationsPerEpoch ||
    !isComplete
  ) {
    return ['the links of models/replay.json are not those of such a training'];
  }
  const broken = links.findIndex(
    ({ iteration, state, link }, index) => linkOf(links[index - 1], iteration, state) !== link,
  );
  if (broken >= 0) {
    return [
      `the link after iteration ${String(links[broken]?.iteration)} does not follow the one before`,
    ];
  }
  if (result.iteration !== result.epoch * iterationsPerEpoch || result.iteration > last) {
    return ['models/replay.json does not say of which epoch the weights are'];
  }
  const stray = snapshots.find(({ iteration, sha256 }) =>
    links.every((link) => link.iteration !== iteration || link.state !== sha256),
  );
  if (stray === undefined) return [];
  return [`the snapshot after iteration ${String(stray.iteration)} is not the state of its link`];
}

/** After how many updates the link comes that follows one after so many. */
function nextLinked(iteration: number, iterationsPerEpoch: number): number {
  const next = (apart: number) => (Math.floor(iteration / apart) + 1) * apart;
  return Math.min(next(LINK_ITERATIONS), next(iterationsPerEpoch));
}

/** The link that a state gives, from its digest alone. */
function linkOf(before: { link: string } | undefined, iteration: number, state: string): string {
  return digestOf([before?.link ?? '', String(iteration), state].join('\n'));
}

/** Numbers of segments, ascending; each is drawn once. */
function drawSegments(segments: number, count: number, random: () => number): readonly number[] {
  const rest = Array.from({ length: segments }, (_, index) => index);
  const drawn: number[] = [];
  while (drawn.length < count && rest.length > 0) {
    drawn.push(...rest.splice(Math.floor(random() * rest.length), 1));
  }
  return drawn.sort((a, b) => a - b);
}

interface Replayed {
  readonly checked: readonly Segment[];
  readonly weights: SpotCheck['weights'];
  readonly findings: readonly string[];
}

async function replaySegments(
  runtime: Runtime,
  training: PackagedTraining,
  drawn: readonly number[],
): Promise<Replayed> {
  const { links, result } = training.replay;
  const checked: Segment[] = [];
  const findings: string[] = [];
  let weights: SpotCheck['weights'] = 'unknown';
  const places = await findPlaces(training, drawn);
  const todo = places.reduce((sum, { from, to }) => sum + to - from, 0);
  const progress = startProgress(runtime, 'replay', todo);
  for (const { segment, from, to, state } of places) {
    if (state !== undefined) training.engine.writeState(state);
    const passed = replayUntil(runtime, training, { from, to }, progress);
    let verdict: Segment['verdict'] = 'same';
    for await (const { iteration, digest } of passed) {
      const claimed = links.find((link) => link.iteration === iteration)?.state;
      if (claimed !== digest) {
        verdict = 'differs';
        findings.push(
          `the state after iteration ${String(iteration)} is another than the package says`,
        );
        break;
      }
      if (iteration !== result.iteration) continue;
      weights = hasWeights(training) ? 'same' : 'differ';
      if (weights === 'differ')
        findings.push(`models/weights.bin is not the state after iteration ${String(iteration)}`);
    }
    checked.push({ from: links[segment - 1]?.iteration ?? 0, to, verdict });
    // What follows would start from a state that is not the training's.
    if (verdict === 'differs') break;
  }
  progress.finish(`${String(checked.length)} segments`);
  return { checked, weights, findings };
}

interface Place {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  /** To be taken first; undefined where the engine is there already. */
  readonly state: Uint8Array | undefined;
}

/** For each segment the nearest known state before it: a snapshot, the segment before, or the start. */
async function findPlaces(training: PackagedTraining, drawn: readonly number[]): Promise<Place[]> {
  const { links, snapshots } = training.replay;
  const places: Place[] = [];
  let reached = 0;
  for (const segment of drawn) {
    const begin = links[segment - 1]?.iteration ?? 0;
    const to = links[segment]?.iteration ?? begin;
    const snapshot = snapshots.findLast(
      ({ iteration }) => iteration > reached && iteration <= begin,
    );
    const state = snapshot === undefined ? undefined : await readSnapshot(training, snapshot);
    places.push({ segment, from: snapshot?.iteration ?? reached, to, state });
    reached = to;
  }
  return places;
}

async function readSnapshot(
  { opened, engine }: PackagedTraining,
  { logicalKey, sha256 }: PackagedTraining['replay']['snapshots'][number],
): Promise<Uint8Array> {
  const entry = entryUnder(opened.pkg, logicalKey);
  const state = entry === undefined ? undefined : await opened.read(entry);
  const isWhole = state?.length === engine.readState().length;
  if (isWhole && digestOf(state) === sha256) return state;
  throw new PkgError('integrity', `${logicalKey} is not the state that models/replay.json names`, {
    hint: 'The package is broken; ask whoever pushed it.',
  });
}

/** Does the updates between two links; yields the digest of each state that has a link. */
async function* replayUntil(
  runtime: Runtime,
  { engine, data, plan, iterationsPerEpoch }: PackagedTraining,
  { from, to }: { readonly from: number; readonly to: number },
  progress: Progress,
): AsyncGenerator<{ readonly iteration: number; readonly digest: string }> {
  let done = from;
  while (done < to) {
    const epoch = Math.floor(done / iterationsPerEpoch) + 1;
    const firstBatch = done % iterationsPerEpoch;
    for await (const { iteration } of updatesOf(engine, data, plan.fit, { epoch, firstBatch })) {
      runtime.signal.throwIfAborted();
      progress.advance();
      done = iteration;
      if (isLinked(iteration, iterationsPerEpoch)) {
        yield { iteration, digest: nextLink(undefined, iteration, engine.readState()).state };
      }
      if (iteration >= to) break;
    }
    invariant(done > from, 'a training has updates');
  }
}

/** Whether the package's weights are the engine's now, bit by bit. */
function hasWeights({ engine, model }: PackagedTraining): boolean {
  const ours = engine.readWeights();
  return (
    ours.length === model.weights.length &&
    ours.every((values, index) => {
      const theirs = model.weights[index];
      return theirs !== undefined && Buffer.from(bytesOf(values)).equals(bytesOf(theirs));
    })
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
