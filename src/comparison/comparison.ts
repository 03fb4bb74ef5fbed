/** A comparison: what differs between two packages, as counts, names and values. */
import type { Json } from '../store/canonical-json.ts';

export interface Comparison {
  readonly a: SideSummary;
  readonly b: SideSummary;
  /** Whether nothing differs that both sides have a word on. */
  readonly same: boolean;
  /** Of the header: `message`, `user_meta...`. */
  readonly header: readonly ValueChange[];
  readonly files: FilesComparison;
  /** Rows of `metadata/images.csv`. */
  readonly photos: readonly RowsChange<PhotoChange>[];
  /** Rows of `metadata/crops.csv`. */
  readonly crops: readonly RowsChange<CropChange>[];
  /** Of `manifest.lock.json`: parameters, toolchain and sources. */
  readonly parameters: readonly ValueChange[];
  /** Of `models/evaluation.json`. */
  readonly metrics: readonly MetricChange[];
  /** Of `models/predictions.csv`; absent where neither side has other predictions than the other. */
  readonly predictions?: PredictionsChange;
  /** What could not be compared, a sentence each. */
  readonly notes: readonly string[];
}

/** What was compared, a folder or a revision. */
export interface SideSummary {
  /** The folder or the registry. */
  readonly where: string;
  /** Of the package; of an installed folder, of what was installed into it. */
  readonly name?: string;
  /** Of the files compared; a folder's are taken as they are now, so it has none. */
  readonly topHash?: string;
  readonly files: number;
  readonly sizeBytes: number;
}

/** How many files, and their bytes. */
export interface Sum {
  readonly files: number;
  readonly sizeBytes: number;
}

/** Files of one kind: those below one top folder. */
export interface KindComparison {
  /** `images`, `models` and the like; empty for files that stand in no folder. */
  readonly kind: string;
  /** `removed` counts bytes of A, all others those of B. */
  readonly same: Sum;
  readonly changed: Sum;
  readonly added: Sum;
  readonly removed: Sum;
  readonly moved: Sum;
}

export interface FilesComparison {
  readonly kinds: readonly KindComparison[];
  readonly changed: readonly ChangedFile[];
  readonly added: readonly NamedFile[];
  readonly removed: readonly NamedFile[];
  /** The same bytes under another logical key. */
  readonly moved: readonly MovedFile[];
  /** Files with the same bytes and other metadata. */
  readonly otherMeta: { readonly files: number; readonly names: readonly string[] };
}

export interface NamedFile {
  readonly kind: string;
  readonly logicalKey: string;
  readonly sizeBytes: number;
}

/** `sizeBytes` is that of B. */
export interface ChangedFile extends NamedFile {
  readonly sizeBytesBefore: number;
}

/** `logicalKey` and kind are those of B. */
export interface MovedFile extends NamedFile {
  readonly from: string;
}

/** A value that differs; `undefined` on the side that has none. */
export interface ValueChange {
  /** Dotted, list items by their number from 0: `model.layers.3.dense.units`. */
  readonly key: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** A figure that differs; `undefined` on the side that has none. */
export interface MetricChange {
  /** Dotted, items of classes by their class: `test.perClass.Apple.f1`. */
  readonly key: string;
  readonly before?: number;
  readonly after?: number;
}

/**
 * How the judgement of crops differs. Crops count that both sides judged, by their logical keys; a
 * change is that of the probability that a class has, the largest of any class for each crop.
 */
export interface PredictionsChange {
  /** How many crops both sides judged, and how many one side alone did. */
  readonly judged: number;
  readonly onlyBefore: number;
  readonly onlyAfter: number;
  /** Of those both judged: how many are taken for another class, and how many rightly by either. */
  readonly otherClass: number;
  readonly rightBefore: number;
  readonly rightAfter: number;
  /** The mean of the changes, over all crops and the classes that both sides know. */
  readonly meanChange: number;
  /** The crops with the largest changes, largest first. */
  readonly largest: readonly PredictionChange[];
  /** How many of which step, `Apple -> Orange`. */
  readonly of: Readonly<Record<string, number>>;
}

export interface PredictionChange {
  readonly logicalKey: string;
  /** What it is, as B has it. */
  readonly class: string;
  readonly before: string;
  readonly after: string;
  /** The class whose probability changed most, and its probabilities. */
  readonly of: string;
  readonly probabilityBefore: number;
  readonly probabilityAfter: number;
}

/**
 * What can become of a photo's row: it `died` (a photo, then a tombstone), `came-back`, has another
 * status otherwise, has other bytes under the same status, or is a row of B or A alone.
 */
export const PHOTO_CHANGES = [
  'died',
  'came-back',
  'other-status',
  'photo-bytes',
  'selected',
  'deselected',
] as const;

/**
 * What can become of a box's row; the same photo and coordinates make the same box, whatever its label.
 * A crop is `new` or `gone` with its box or without; `box-new` and `box-gone` are boxes of B or A alone
 * that have no crop there either.
 */
export const CROP_CHANGES = [
  'new',
  'gone',
  'relabelled',
  'other-class',
  'other-split',
  'crop-bytes',
  'other-reason',
  'box-new',
  'box-gone',
] as const;

export type PhotoChange = (typeof PHOTO_CHANGES)[number];
export type CropChange = (typeof CROP_CHANGES)[number];

/** The rows that one thing became of. */
export interface RowsChange<Change extends PhotoChange | CropChange> {
  readonly change: Change;
  readonly rows: number;
  /** How many of which sort: statuses, classes, or `before -> after`. */
  readonly of: Readonly<Record<string, number>>;
  /** ImageIDs of photos; of boxes, the crop's logical key or else ImageID and label. */
  readonly names: readonly string[];
}

/**
 * Why a table or document that others may have made cannot be compared, as a sentence's beginning; the
 * comparison goes on without it.
 */
export class DocumentProblem extends Error {}
