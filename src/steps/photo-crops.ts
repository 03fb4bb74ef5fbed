/** The crops of one photo: decoded once, cut, encoded, and remembered by the photo's bytes. */
import { z } from 'zod';
import { cutCrop, type Rectangle } from '../images/crop.ts';
import { decodePicture } from '../images/decode.ts';
import type { Pixels } from '../images/images.ts';
import { type Look, lookOf } from '../images/perceptual-hash.ts';
import type { CropParams } from '../manifest/manifest.ts';
import type { ImagesRow } from '../photos/photos.ts';
import type { WeightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { type Descriptor, type Digest, digestOf, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { toolchainOf } from './toolchain.ts';

/**
 * How many photos are under way with so many workers: decoding and encoding run on other threads than
 * what stands between them, so two a worker keep all cores busy; one worker means one.
 */
export function photosAtOnce(workers: number): number {
  return workers === 1 ? 1 : 2 * workers;
}

/** What one photo gave: how it looks, and an encoded crop for each rectangle. */
export interface PhotoCrops {
  readonly look: Look;
  readonly crops: readonly Descriptor[];
}

const photoCropsSchema = z.object({
  look: z.object({ hash: z.string(), colours: z.string() }),
  crops: z.array(z.object({ digest: z.custom<Digest>(isDigestValue), sizeBytes: z.int() })),
});

function isDigestValue(value: unknown): boolean {
  return typeof value === 'string' && isDigest(value);
}

/**
 * The crops of the photo of a row, in the order of `rectangles`; undefined where it does not decode
 * after all. `memory` bounds the pixels that all callers hold together.
 */
export async function cutPhoto(
  store: Store,
  memory: WeightLimit,
  params: CropParams,
  row: ImagesRow,
  rectangles: readonly Rectangle[],
): Promise<PhotoCrops | undefined> {
  const turnDegrees = params.upright ? quarterTurns(row.Rotation) : 0;
  const encoding = { format: params.format, quality: params.quality };
  const key = digestOf(
    canonicalJson({
      photo: row.Digest,
      turnDegrees,
      encoding,
      rectangles: rectangles.map((rectangle) => ({ ...rectangle })),
      toolchain: { ...toolchainOf('crop') },
    }),
  );
  const known = photoCropsSchema.safeParse(await store.findRecord('crops', key));
  if (known.success && (await allPresent(store, known.data.crops))) return known.data;
  return await memory.run(3 * Number(row.WidthPx) * Number(row.HeightPx), async () => {
    const pixels = await decodeStored(store, row);
    if (pixels === undefined) return undefined;
    const crops: Descriptor[] = [];
    for (const rectangle of rectangles) {
      crops.push(await store.putBytes(await cutCrop(pixels, rectangle, turnDegrees, encoding)));
    }
    const look = await lookOf(pixels);
    await store.writeRecord('crops', key, {
      look: { ...look },
      crops: crops.map((crop) => ({ ...crop })),
    });
    return { look, crops };
  });
}

async function decodeStored(store: Store, row: ImagesRow): Promise<Pixels | undefined> {
  const data = await store.read(row.Digest as Digest);
  try {
    return await decodePicture(data);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

async function allPresent(store: Store, crops: readonly Descriptor[]): Promise<boolean> {
  for (const crop of crops) if (!(await store.has(crop))) return false;
  return true;
}

/** Counter-clockwise degrees of a Rotation cell that is a quarter turn; else none. */
function quarterTurns(rotation: string): number {
  const degrees = Number(rotation);
  return degrees === 90 || degrees === 180 || degrees === 270 ? degrees : 0;
}
