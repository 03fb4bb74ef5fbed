/** Derivation: crops of a package that are cut out of its photos here instead of being fetched. */

import type { Derivation, DerivedParts, DeriveWork } from '../installation/deriving.ts';
import { likelyDigest } from '../installation/entry-content.ts';
import type { FoundPackage } from '../installation/find-package.ts';
import { DERIVE, FETCH, FROM_STORE, type Plan } from '../installation/plan.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Digest } from '../store/digest.ts';
import { type Choice, type ChosenCrop, CROPS_KEY, choosePhotos, IMAGES_KEY } from './choose.ts';
import { Cutter } from './cut.ts';
import { FETCH_INSTEAD, LOCKFILE_KEY, type Recipe, readRecipe } from './recipe.ts';
import { type Supplied, Supply } from './supply.ts';
import { type PhotoGroup, readTasks } from './tables.ts';

/** A lockfile is a few kilobytes, with a line for each photo that was not as promised. */
const MAX_LOCKFILE_BYTES = 8 * 2 ** 20;

/**
 * Plans to derive crops where that moves fewer bytes than fetching them, photo by photo; see `Derive` of
 * `installation/deriving.ts`. Photos that are needed for nothing else come into the store, not into the
 * folder, and whatever is in folder or store already costs nothing. A crop is only ever what its entry
 * says: one that does not become that is an error.
 * @throws PkgError `not-found` for a package that pkg did not build, `integrity` for one whose crops were
 * cut by other versions of what cuts them here.
 */
export async function deriveCrops(runtime: Runtime, work: DeriveWork): Promise<Derivation> {
  requireBuilt(work.found);
  const supply = new Supply(runtime, work);
  const choice = await choosePhotos(supply, work.found.pkg.entries, work.plan);
  if (choice === undefined) return { ...NOTHING, carryOut: () => Promise.resolve(NOTHING) };
  const lockfile = choice.needed[LOCKFILE_KEY];
  if (lockfile.entry.sizeBytes > MAX_LOCKFILE_BYTES) {
    throw new PkgError(
      'not-found',
      `${LOCKFILE_KEY} of ${work.found.name} is too large to be one`,
      {
        hint: FETCH_INSTEAD,
      },
    );
  }
  const recipe = readRecipe((await supply.read(lockfile)).toString('utf8'), work.found.name);
  for (const [index, { logicalKey }] of numbered(work.plan)) {
    if (choice.crops.has(logicalKey)) work.plan.steps[index] = DERIVE;
  }
  return {
    crops: choice.crops.size,
    photos: choice.photos.size,
    cropBytes: sizeOf(choice.crops.values()),
    extraBytes: costOf(supply, choice),
    carryOut: () => carryOut(runtime, work, { supply, choice, recipe }),
  };
}

const NOTHING = { crops: 0, photos: 0, cropBytes: 0, extraBytes: 0, fetched: 0, fetchedBytes: 0 };

interface Parts {
  readonly supply: Supply;
  readonly choice: Choice;
  readonly recipe: Recipe;
}

async function carryOut(
  runtime: Runtime,
  { plan, store }: DeriveWork,
  { supply, choice, recipe }: Parts,
): Promise<DerivedParts> {
  await supply.bring(Object.values(choice.needed), () => Promise.resolve());
  const groups = await readTasks(runtime, supply, choice);
  const progress = startProgress(runtime, 'derive', groups.length);
  const cutter = new Cutter(runtime, { store, supply, recipe });
  const byDigest = new Map(groups.map((group) => [group.photo.digest, group]));
  const photos = groups.map(({ photo }) => photo);
  await supply.bring(photos, async ({ digest, entry }) => {
    const group = byDigest.get(digest);
    if (group === undefined) throw new Error(`no task for ${entry.logicalKey}`);
    await cutter.cut(group);
    progress.advance({ sizeBytes: entry.sizeBytes });
  });
  const made = new Map(groups.flatMap(cropsOf));
  progress.finish(`${String(made.size)} crops of ${String(groups.length)} photos`);
  return {
    crops: made.size,
    photos: groups.reduce((sum, { tasks }) => sum + tasks.length, 0),
    cropBytes: sizeOf(made.values()),
    extraBytes: supply.extraBytes,
    fetched: settle(plan, made, supply.fetched),
    fetchedBytes: supply.fetchedBytes,
  };
}

/**
 * Makes the plan say where its entries are now, and returns how many of them were fetched. Crops that
 * the tables do not know are fetched after all.
 */
function settle(
  plan: Plan,
  made: ReadonlyMap<string, unknown>,
  fetched: ReadonlyMap<string, Supplied>,
): number {
  const here = new Set<Digest>([...fetched.values()].map(({ digest }) => digest));
  let count = 0;
  for (const [index, entry] of numbered(plan)) {
    const step = plan.steps[index];
    if (step === DERIVE) plan.steps[index] = made.has(entry.logicalKey) ? FROM_STORE : FETCH;
    if (step !== FETCH) continue;
    const digest = likelyDigest(entry);
    if (digest === undefined || !here.has(digest)) continue;
    plan.steps[index] = FROM_STORE;
    if (fetched.has(entry.logicalKey)) count++;
  }
  return count;
}

function requireBuilt({ name, pkg }: FoundPackage): void {
  const missing = new Set([LOCKFILE_KEY, IMAGES_KEY, CROPS_KEY]);
  for (const { logicalKey } of pkg.entries) missing.delete(logicalKey);
  const [first] = missing;
  if (first === undefined) return;
  throw new PkgError('not-found', `${name} has no ${first}, so its crops cannot be derived`, {
    hint: `Only a package that pkg built says how. ${FETCH_INSTEAD}`,
  });
}

function* numbered({ selected }: Plan) {
  let index = 0;
  for (const entry of selected) yield [index++, entry] as const;
}

function cropsOf({ tasks }: PhotoGroup) {
  return tasks.flatMap(({ crops }) =>
    crops.map(({ logicalKey, chosen }) => [logicalKey, chosen] as const),
  );
}

/** What has to be fetched for a derivation alone, each content once. */
function costOf(supply: Supply, { needed, photos }: Choice): number {
  const contents = new Map<Digest, number>();
  for (const supplied of [...Object.values(needed), ...photos.values()]) {
    const known = contents.get(supplied.digest) ?? Number.POSITIVE_INFINITY;
    contents.set(supplied.digest, Math.min(known, supply.costBytes(supplied)));
  }
  return [...contents.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
}

/** The size of crops, each content once. */
function sizeOf(crops: Iterable<ChosenCrop>): number {
  const contents = new Map([...crops].map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  return [...contents.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
}
