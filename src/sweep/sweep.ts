/** Sweep: what no revision of a registry reaches is removed, or only counted. */
import { type ErrorCode, isRemoval, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import { CopyChecker } from './check-copies.ts';
import { countElsewhere } from './elsewhere.ts';
import { packAnew, writeIndex } from './pack-anew.ts';
import { type PackPlan, planPacks } from './pack-plan.ts';
import { type Damage, ReachReader } from './reachable.ts';
import { type Amount, Remover, type SweptAmounts } from './remover.ts';
import { keyOfPointer, planRetention, type RemovedPointer, type Retention } from './retention.ts';
import { isRedundant, listLoose, type Survey, type SurveyContext, takeSurvey } from './survey.ts';
import { withSweepLease } from './sweep-lease.ts';
import { type Removal, removeUnreached } from './unreached.ts';

/** What is younger than this stays, where nothing else is said. */
export const DEFAULT_GRACE_MS = 24 * 60 * 60 * 1000;

/** Failures of a look without a lease that may be gone under it. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['integrity', 'not-found', 'conflict']);

export interface SweepOptions {
  readonly mode: 'count' | 'remove';
  /** What is younger stays; pushes that were killed go on from it. */
  readonly graceMs: number;
  /** Revisions that go first; without it none does. */
  readonly retention?: Retention | undefined;
  /** Keeps the registry's index between commands. */
  readonly cache?: Store | undefined;
}

export interface SweepResult {
  readonly registry: string;
  /** Whether this only tells what would go. */
  readonly dryRun: boolean;
  /** Pointers of revisions that are not kept. */
  readonly revisions: readonly RemovedPointer[];
  readonly removed: SweptAmounts;
  /** Packs whose needed part went into new ones; they are among the packs removed. */
  readonly packedAnew: number;
  /** Bytes of the new packs; unknown while nothing was written. */
  readonly writtenBytes: number;
  /** Objects of other tools' layout that no revision reaches; they are never removed. */
  readonly elsewhere: Amount;
}

/**
 * Removes what no pointer reaches. Under a lease, so that no push counts on what goes, and in an order
 * that leaves every revision whole at any moment: new packs, the index that names them, and only then
 * what they replace.
 * @throws PkgError `integrity` where a live list, pack or chunk list is missing or damaged, and
 * `conflict` where a push or another sweep is in flight; nothing is removed then.
 */
export async function sweepRegistry(
  runtime: Runtime,
  registry: Storage,
  options: SweepOptions,
): Promise<SweepResult> {
  const sweep = new Sweep(runtime, options);
  const nowMs = runtime.clock.now();
  if (options.mode === 'count') return await sweep.count(registry, nowMs);
  await sweep.prepare(registry, nowMs);
  return await withSweepLease(runtime, registry, (guarded, storageMs) =>
    sweep.remove(guarded, storageMs),
  );
}

/** What is known of a registry, and what follows for its packs. */
interface Look {
  readonly survey: Survey;
  readonly plan: PackPlan;
}

class Sweep {
  readonly #runtime: Runtime;
  readonly #options: SweepOptions;
  readonly #reader: ReachReader;
  readonly #checker: CopyChecker;

  constructor(runtime: Runtime, options: SweepOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#reader = new ReachReader(runtime);
    this.#checker = new CopyChecker(runtime);
  }

  async count(registry: Storage, nowMs: number): Promise<SweepResult> {
    const revisions = await this.#planRevisions(registry);
    const look = await this.#look(registry, nowMs, new Set(revisions.map(keyOfPointer)));
    const segments = new Set(look.plan.rewritesIndex ? look.survey.segments : []);
    const removal = { ...look, registry, segments, nowMs, added: { packs: [], records: [] } };
    return await this.#finish(removal, revisions);
  }

  /**
   * Does what takes long and needs no lease: reads the lists, and checks what stays in place of copies.
   * What is damaged, or seems so since others are at work, is told by the look under the lease.
   */
  async prepare(registry: Storage, nowMs: number): Promise<void> {
    try {
      const revisions = await this.#planRevisions(registry);
      const look = await this.#look(registry, nowMs, new Set(revisions.map(keyOfPointer)));
      await this.#check(registry, look);
    } catch (error) {
      const isPassing = error instanceof PkgError && PASSING.has(error.code);
      if (!isPassing && !isRemoval(error)) throw error;
    }
  }

  async remove(registry: Storage, nowMs: number): Promise<SweepResult> {
    const revisions = await this.#planRevisions(registry);
    const look = await this.#look(registry, nowMs, new Set(revisions.map(keyOfPointer)));
    await this.#check(registry, look);
    await registry.remove(revisions.map(keyOfPointer));
    const { survey, plan } = look;
    const added = await packAnew(this.#runtime, registry, survey, plan);
    const written = plan.rewritesIndex
      ? await writeIndex(registry, survey, plan, added)
      : new Set(survey.segments);
    const segments = new Set(survey.segments.filter((segment) => !written.has(segment)));
    return await this.#finish({ ...look, registry, segments, nowMs, added }, revisions);
  }

  async #planRevisions(registry: Storage): Promise<readonly RemovedPointer[]> {
    const { retention } = this.#options;
    return retention === undefined ? [] : await planRetention(registry, retention);
  }

  async #look(registry: Storage, nowMs: number, without: ReadonlySet<string>): Promise<Look> {
    const { cache, graceMs } = this.#options;
    const cutoffMs = nowMs - graceMs;
    const reach = await this.#reader.read(registry, { without, youngAfterMs: cutoffMs });
    requireSound(registry, reach.damaged);
    const context: SurveyContext = { runtime: this.#runtime, registry, cache, cutoffMs };
    const survey = await takeSurvey(context, reach);
    requireSound(registry, survey.chunks.damaged);
    const plan = await planPacks(registry, survey);
    requireSound(registry, plan.damaged);
    return { survey, plan };
  }

  /** Of two copies one goes only where the other is right. */
  async #check(registry: Storage, { survey, plan }: Look): Promise<void> {
    const packs = new Set(plan.packsToCheck);
    if (survey.policy === 'packs') {
      for await (const { digest, found } of listLoose(registry)) {
        if (!isRedundant(survey, digest, found)) continue;
        const home = survey.index.find(digest)?.pack;
        const places = survey.chunks.packsOf.get(digest) ?? (home === undefined ? [] : [home]);
        for (const pack of places) if (!plan.repacked.has(pack)) packs.add(pack);
      }
    }
    await this.#checker.checkPacks(registry, packs);
    await this.#checker.checkObjects(registry, plan.looseToCheck);
  }

  async #finish(
    found: Omit<Removal, 'remover'>,
    revisions: readonly RemovedPointer[],
  ): Promise<SweepResult> {
    const { registry, survey, plan, added } = found;
    const { mode } = this.#options;
    const remover = new Remover(registry, mode);
    await removeUnreached({ ...found, remover });
    return {
      registry: registry.url,
      dryRun: mode === 'count',
      revisions,
      removed: remover.amounts,
      packedAnew: plan.repacked.size,
      writtenBytes: added.packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      elsewhere: await countElsewhere(registry, survey.reach),
    };
  }
}

function requireSound(registry: Storage, damaged: readonly Damage[]): void {
  const [first, ...others] = damaged;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${String(others.length)} more`;
  throw new PkgError(
    'integrity',
    `nothing was removed from ${registry.url}, since ${first.key} is damaged (${first.why})${more}`,
    { hint: 'See what is damaged with pkg verify --registry, and restore it with pkg repair.' },
  );
}
