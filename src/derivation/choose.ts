/** The choice between fetching crops and deriving them, by what moves fewer bytes; no byte is read. */
import { likelyDigest } from '../installation/entry-content.ts';
import { FETCH, type Plan } from '../installation/plan.ts';
import type { Entry, EntryList } from '../package/entry.ts';
import type { Digest } from '../store/digest.ts';
import { LOCKFILE_KEY } from './recipe.ts';
import type { Supplied, Supply } from './supply.ts';
import { type Load, loadOf, trafficOf } from './traffic.ts';

export const IMAGES_KEY = 'metadata/images.csv';
export const CROPS_KEY = 'metadata/crops.csv';

/** What has to be known of how crops were cut. */
const NEEDED_KEYS = [LOCKFILE_KEY, IMAGES_KEY, CROPS_KEY] as const;
export type NeededKey = (typeof NEEDED_KEYS)[number];

/** A photo or crop under the name that the steps give it. */
const PHOTO_PATTERN = /^images\/([^/]+)\.[a-z]+$/;
const CROP_PATTERN = /^images_cropped\/[^/]+\/([^/]+)_[0-9a-f]{12}\.[a-z]+$/;

/** A file that large is not decoded. */
const MAX_PHOTO_BYTES = 512 * 2 ** 20;

/** A crop that is to be derived, and what it has to be. */
export interface ChosenCrop {
  readonly imageId: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface Choice {
  /** By ImageID. */
  readonly photos: ReadonlyMap<string, Supplied>;
  /** By logical key. */
  readonly crops: ReadonlyMap<string, ChosenCrop>;
  readonly needed: Readonly<Record<NeededKey, Supplied>>;
}

/** What a plan says of the entries that count here. */
interface Survey {
  /** All that would be fetched. */
  readonly fetched: Fetched[];
  /** Of that, crops by logical key, and their sizes by ImageID. */
  readonly crops: Map<string, ChosenCrop>;
  readonly cropBytes: Map<string, number>;
  /** The steps of photos and of what has to be known. */
  readonly steps: Map<string, number>;
}

interface Fetched {
  readonly logicalKey: string;
  readonly load: Load;
}

/** A photo of which crops would be fetched. */
interface Candidate {
  readonly imageId: string;
  readonly photo: Supplied;
  readonly cropBytes: number;
}

/**
 * How much larger than a photo its crops have to be together, for several choices to compare. Where
 * nothing is read but what is asked for, 1 is the best; in a pack, what lies between two crops that are
 * fetched is mostly read too, which may make fewer or more photos the better choice.
 */
const FACTORS = [1, 1.5, 2, 0.7, 0.4, 0];

/**
 * Chooses the photos whose crops are derived, so that the least is read of the registry: crops are derived
 * where they are larger together than what the photo adds, which is nothing for one that is here or wanted
 * anyway. All are fetched, and the choice is undefined, where that saves less than it takes to know how
 * crops were cut.
 */
export async function choosePhotos(
  supply: Supply,
  entries: EntryList,
  plan: Plan,
): Promise<Choice | undefined> {
  const survey = surveyPlan(plan);
  if (survey.crops.size === 0) return undefined;
  const { candidates, needed } = await findCandidates(supply, entries, survey);
  if (needed === undefined) return undefined;
  let least = trafficOf(survey.fetched.map(({ load }) => load));
  let chosen: ReadonlyMap<string, Supplied> | undefined;
  for (const factor of FACTORS) {
    const photos = choose(supply, candidates, factor);
    const bytes = trafficWith(survey, photos, needed);
    if (bytes >= least) continue;
    [least, chosen] = [bytes, photos];
  }
  return chosen === undefined
    ? undefined
    : { photos: chosen, crops: cropsOf(survey, chosen), needed };
}

function surveyPlan({ selected, steps }: Plan): Survey {
  const survey: Survey = { fetched: [], crops: new Map(), cropBytes: new Map(), steps: new Map() };
  let index = 0;
  for (const entry of selected) {
    const step = steps[index++] ?? FETCH;
    const { logicalKey, sizeBytes } = entry;
    if (isNeededKey(logicalKey) || PHOTO_PATTERN.test(logicalKey)) {
      survey.steps.set(logicalKey, step);
    }
    if (step !== FETCH) continue;
    const digest = likelyDigest(entry);
    survey.fetched.push({ logicalKey, load: loadOf(entry, digest) });
    const imageId = CROP_PATTERN.exec(logicalKey)?.[1];
    if (imageId === undefined || digest === undefined) continue;
    survey.crops.set(logicalKey, { imageId, digest, sizeBytes });
    survey.cropBytes.set(imageId, (survey.cropBytes.get(imageId) ?? 0) + sizeBytes);
  }
  return survey;
}

async function findCandidates(supply: Supply, entries: EntryList, survey: Survey) {
  const candidates = new Map<string, Candidate>();
  const needed = new Map<string, Supplied>();
  for (const entry of entries) {
    const { logicalKey } = entry;
    if (isNeededKey(logicalKey)) {
      const supplied = await supply.find(entry, survey.steps.get(logicalKey));
      if (supplied?.place !== 'nowhere' && supplied !== undefined) needed.set(logicalKey, supplied);
      continue;
    }
    const imageId = PHOTO_PATTERN.exec(logicalKey)?.[1];
    const cropBytes = imageId === undefined ? undefined : survey.cropBytes.get(imageId);
    if (imageId === undefined || cropBytes === undefined) continue;
    const photo = await findPhoto(supply, entry, survey);
    if (photo !== undefined) candidates.set(imageId, { imageId, photo, cropBytes });
  }
  return { candidates: [...candidates.values()], needed: withAll(needed) };
}

/** The photos whose crops are more than `factor` times as large as what the photo adds. */
function choose(
  supply: Supply,
  candidates: readonly Candidate[],
  factor: number,
): ReadonlyMap<string, Supplied> {
  const photos = new Map<string, Supplied>();
  const paid = new Set<Digest>();
  for (const { imageId, photo, cropBytes } of candidates) {
    const costBytes = paid.has(photo.digest) ? 0 : supply.costBytes(photo);
    const isWorth = costBytes < Number.POSITIVE_INFINITY && cropBytes > factor * costBytes;
    if (!isWorth) continue;
    paid.add(photo.digest);
    photos.set(imageId, photo);
  }
  return photos;
}

/** What is read of the registry where the crops of some photos are derived. */
function trafficWith(
  { fetched, crops }: Survey,
  photos: ReadonlyMap<string, Supplied>,
  needed: Choice['needed'],
): number {
  const isFar = ({ place }: Supplied) => place === 'registry';
  const tables = Object.values(needed).filter(isFar);
  const far = [...photos.values()].filter(isFar);
  const brought = new Set([...tables, ...far].map(({ entry }) => entry.logicalKey));
  const rest = fetched.filter(
    ({ logicalKey }) =>
      !brought.has(logicalKey) && !photos.has(crops.get(logicalKey)?.imageId ?? ''),
  );
  const loadsOf = (list: readonly Supplied[]) =>
    list.map(({ entry, digest }) => loadOf(entry, digest));
  return (
    trafficOf(loadsOf(tables)) + trafficOf(loadsOf(far)) + trafficOf(rest.map(({ load }) => load))
  );
}

async function findPhoto(supply: Supply, entry: Entry, { steps }: Survey) {
  if (entry.sizeBytes > MAX_PHOTO_BYTES) return undefined;
  return await supply.find(entry, steps.get(entry.logicalKey));
}

function cropsOf(
  { crops }: Survey,
  photos: ReadonlyMap<string, Supplied>,
): ReadonlyMap<string, ChosenCrop> {
  return new Map([...crops].filter(([, { imageId }]) => photos.has(imageId)));
}

function isNeededKey(logicalKey: string): boolean {
  return NEEDED_KEYS.some((key) => key === logicalKey);
}

function withAll(needed: ReadonlyMap<string, Supplied>): Choice['needed'] | undefined {
  const lockfile = needed.get(LOCKFILE_KEY);
  const images = needed.get(IMAGES_KEY);
  const crops = needed.get(CROPS_KEY);
  if (lockfile === undefined || images === undefined || crops === undefined) return undefined;
  return { [LOCKFILE_KEY]: lockfile, [IMAGES_KEY]: images, [CROPS_KEY]: crops };
}
