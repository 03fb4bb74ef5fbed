/** Sides and tables made of a few words, for tests of comparisons. */
import { createHash } from 'node:crypto';
import { comparePackages } from '../../src/comparison/compare.ts';
import type { Comparison } from '../../src/comparison/comparison.ts';
import type { Side } from '../../src/comparison/side.ts';
import { formatCsv } from '../../src/openimages/csv.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { IMAGES_COLUMNS } from '../../src/photos/photos.ts';
import { CROPS_COLUMNS } from '../../src/steps/crops-table.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, samplePackage } from '../support/sample-packages.ts';

/** A revision of some files. */
export function sideOf(files: Files, parts: Partial<Side> = {}): Side {
  const { pkg } = samplePackage(files);
  return {
    where: 'a registry',
    name: 'test/pkg',
    topHash: topHash(pkg),
    header: pkg.header,
    entries: pkg.entries,
    meta: 'packaged',
    async *open({ logicalKey }) {
      yield await Promise.resolve(Buffer.from(files[logicalKey] ?? ''));
    },
    ...parts,
  };
}

/** Compares two sides, or the files of two revisions. */
export async function compare(
  a: Side | Files,
  b: Side | Files,
  maxNames = Number.POSITIVE_INFINITY,
): Promise<Comparison> {
  return await comparePackages(testRuntime(), asSide(a), asSide(b), { maxNames });
}

function asSide(side: Side | Files): Side {
  return isSide(side) ? side : sideOf(side);
}

function isSide(side: Side | Files): side is Side {
  return typeof side['open'] === 'function';
}

/** `metadata/images.csv` of `ImageID status content` each. */
export function imagesTable(...rows: readonly string[]): string {
  return formatCsv(
    IMAGES_COLUMNS,
    rows.map((row) => {
      const [ImageID = '', Status = '', content = ''] = row.split(' ');
      const empty = Object.fromEntries(IMAGES_COLUMNS.map((column) => [column, '']));
      const Digest = content === '' ? '' : digest(content);
      return { ...empty, ImageID, Status, Digest } as Record<
        (typeof IMAGES_COLUMNS)[number],
        string
      >;
    }),
  );
}

/**
 * `metadata/crops.csv` of `ImageID class x reason-or-split content` each; a box is `x` wide, and what
 * is no split is a reason.
 */
export function cropsTable(...rows: readonly string[]): string {
  return formatCsv(
    CROPS_COLUMNS,
    rows.map((row) => {
      const [ImageID = '', Class = '', XMax = '', last = '', content = ''] = row.split(' ');
      const isCrop = ['train', 'validation', 'test'].includes(last);
      const empty = Object.fromEntries(CROPS_COLUMNS.map((column) => [column, '']));
      return {
        ...empty,
        ...{ ImageID, Class, LabelName: `/m/${Class}`, XMin: '0', XMax, YMin: '0', YMax: '1' },
        ...(isCrop
          ? { LogicalKey: `${Class}/${ImageID}_${XMax}.jpg`, Split: last, Digest: digest(content) }
          : { Reason: last }),
      } as Record<(typeof CROPS_COLUMNS)[number], string>;
    }),
  );
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
