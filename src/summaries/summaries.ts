/** Summaries: the figures of a data set that a person wants to see before anything else. */
import type { SelectionCounts } from '../openimages/boxes.ts';
import type { HierarchyNode } from '../openimages/labels.ts';
import { IMAGE_STATUSES, type ImageStatus, type ImagesRow } from '../photos/photos.ts';

/** The part of a row of `metadata/crops.csv` that is counted and drawn. */
export interface CropFacts {
  readonly LogicalKey: string;
  readonly ImageID: string;
  readonly LabelName: string;
  readonly Class: string;
  readonly LeftPx: string;
  readonly TopPx: string;
  readonly WidthPx: string;
  readonly HeightPx: string;
  readonly Split: string;
  readonly Digest: string;
  readonly Reason: string;
}

/** A chosen class with what the data set holds of it. */
export interface ClassFacts {
  readonly name: string;
  /** The labels whose boxes count for it, MID and display name. */
  readonly labels: readonly { readonly mid: string; readonly displayName: string }[];
  readonly boxes: number;
  readonly photos: number;
  readonly crops: number;
  readonly splits: Readonly<Record<string, number>>;
}

/** A base model, code at a commit, files of an environment. */
export type FurtherPart = 'base' | 'code' | 'environment';

export interface Summary {
  readonly name: string;
  readonly description: string | undefined;
  readonly license: string | undefined;
  /** What trained a classifier on the crops, where something did. */
  readonly engine: string | undefined;
  /** What else there is that only some packages hold. */
  readonly holds?: readonly FurtherPart[] | undefined;
  readonly classes: readonly ClassFacts[];
  readonly selection: SelectionCounts;
  readonly statuses: readonly (readonly [ImageStatus, number])[];
  /** Reasons for boxes without a crop, commonest first. */
  readonly reasons: readonly (readonly [string, number])[];
  readonly crops: number;
  /** Licences of the photos in the package with how many photos each, commonest first. */
  readonly licenses: readonly (readonly [string, number])[];
  readonly photos: number;
  readonly authors: number;
  /** Images that are not `ok`: tombstones, and photos that changed. */
  readonly unlike: readonly ImagesRow[];
}

/** A node of the hierarchy file that a query writes, with its display name. */
export interface NamedNode extends HierarchyNode {
  readonly DisplayName: string;
  readonly Subcategory?: readonly NamedNode[];
  readonly Part?: readonly NamedNode[];
}

/** Splits in the order they are shown. */
export const SPLITS = ['train', 'validation', 'test'] as const;

/** Counts the tables of a data set. */
export function summarize(
  about: Pick<Summary, 'name' | 'description' | 'license' | 'engine' | 'holds' | 'selection'>,
  labels: readonly {
    readonly LabelName: string;
    readonly DisplayName: string;
    readonly Class: string;
  }[],
  images: readonly ImagesRow[],
  crops: readonly CropFacts[],
): Summary {
  const kept = images.filter(({ LogicalKey }) => LogicalKey !== '');
  const names = [...new Set(labels.map((label) => label.Class))];
  return {
    ...about,
    classes: names.map((name) => ({
      name,
      labels: labels
        .filter((label) => label.Class === name)
        .map(({ LabelName: mid, DisplayName: displayName }) => ({ mid, displayName })),
      ...countClass(crops.filter((crop) => crop.Class === name)),
    })),
    statuses: IMAGE_STATUSES.map(
      (status) => [status, images.filter(({ Status }) => Status === status).length] as const,
    ).filter(([status, count]) => count > 0 || status === 'ok'),
    reasons: tally(crops.map(({ Reason }) => Reason).filter((reason) => reason !== '')),
    crops: crops.filter(({ LogicalKey }) => LogicalKey !== '').length,
    licenses: tally(kept.map(({ License }) => License || 'not stated')),
    photos: kept.length,
    authors: new Set(kept.map(({ Author }) => Author).filter((author) => author !== '')).size,
    unlike: images.filter(({ Status }) => Status !== 'ok'),
  };
}

function countClass(
  crops: readonly CropFacts[],
): Pick<ClassFacts, 'boxes' | 'photos' | 'crops' | 'splits'> {
  const cut = crops.filter(({ LogicalKey }) => LogicalKey !== '');
  return {
    boxes: crops.length,
    photos: new Set(cut.map(({ ImageID }) => ImageID)).size,
    crops: cut.length,
    splits: Object.fromEntries(
      SPLITS.map((split) => [split, cut.filter(({ Split }) => Split === split).length]),
    ),
  };
}

/** How often each value stands, commonest first, equals by name. */
function tally(values: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
