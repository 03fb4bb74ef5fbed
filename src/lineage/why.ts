/** Why a file is in a package: what it was made of, by which work, and whose it is. */
import type { Json } from '../store/canonical-json.ts';
import type { LineageBase, SPLITS, Split } from './lineage.ts';

/** Texts of a table are as it has them; what it does not know is empty. */
export interface FileLineage {
  readonly name: string;
  readonly topHash: string;
  /** The folder or registry. */
  readonly where: string;
  readonly logicalKey: string;
  readonly sizeBytes: number;
  readonly hash: { readonly type: string; readonly value: string };
  /** The plain SHA-256, where the package states it. */
  readonly sha256?: string;
  readonly kind: 'photo' | 'crop' | 'model' | 'table' | 'other';
  readonly step?: MakingStep;
  readonly photo?: PhotoFacts;
  /** The box that the crop was cut from. */
  readonly crop?: CropFacts;
  /** The crops of a photo. */
  readonly crops?: readonly CropName[];
  readonly model?: ModelFacts;
  /** The parameters of the step that made the file, as they are locked. */
  readonly parameters?: Json;
  readonly sources: readonly SourceFacts[];
  readonly bases: readonly (LineageBase & { readonly path?: string })[];
  readonly code?: CodeFacts;
  /** What cannot be told, and why, a sentence each. */
  readonly unknown: readonly string[];
}

export interface MakingStep {
  readonly name: string;
  readonly output: string;
  /** Of `provenance.json`; packages from before it have none. */
  readonly key?: string;
}

/** A row of `metadata/images.csv`. */
export interface PhotoFacts {
  readonly imageId: string;
  /** Empty for a tombstone. */
  readonly logicalKey: string;
  readonly status: string;
  readonly author: string;
  readonly licence: string;
  readonly title: string;
  readonly landingUrl: string;
  readonly originalUrl: string;
  readonly finalUrl: string;
  readonly digest: string;
  readonly widthPx: string;
  readonly heightPx: string;
}

/** A row of `metadata/crops.csv`. */
export interface CropFacts {
  readonly class: string;
  readonly labelName: string;
  /** The label's own name, which may be narrower than the class. */
  readonly displayName: string;
  readonly split: string;
  /** Fractions of the photo's width and height, as the source table spells them. */
  readonly box: Readonly<Record<'xMin' | 'xMax' | 'yMin' | 'yMax', string>>;
  /** Cut out of the stored frame of the photo. */
  readonly rectangle: Readonly<Record<'leftPx' | 'topPx' | 'widthPx' | 'heightPx', string>>;
  readonly rotation: string;
  /** Those that are set: `IsOccluded` and the like. */
  readonly flags: readonly string[];
  /** Why there is no crop; empty where there is one. */
  readonly reason: string;
}

export interface CropName {
  /** Empty where there is no crop. */
  readonly logicalKey: string;
  readonly class: string;
  readonly split: string;
  readonly reason: string;
}

export interface ModelFacts {
  readonly classes: readonly string[];
  /** Crops of each class in each split, and the different photos that were trained on. */
  readonly crops: Readonly<Record<Split, Readonly<Record<string, number>>>>;
  readonly trainedPhotos: number;
  /** The top hash of a package of nothing but the data that it was trained on. */
  readonly data?: string;
}

export interface SourceFacts {
  /** `boxes`, `images`, `classes` or `hierarchy`. */
  readonly name: string;
  readonly url: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface CodeFacts {
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  readonly dirty: boolean;
}

export type CountsBySplit = Record<(typeof SPLITS)[number], Record<string, number>>;
