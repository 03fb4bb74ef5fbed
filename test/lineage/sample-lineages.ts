/** Packages of photos and crops in a few words, for tests of lineage. */
import { formatCsv } from '../../src/openimages/csv.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { IMAGES_COLUMNS, type ImagesRow } from '../../src/photos/photos.ts';
import { CROPS_COLUMNS, type CropsRow } from '../../src/steps/crops-table.ts';
import { type Files, type SamplePackage, samplePackage } from '../support/sample-packages.ts';

export interface SamplePhoto {
  readonly id: string;
  readonly author?: string;
  readonly licence?: string;
  readonly url?: string;
  readonly status?: string;
  /** A crop for each, `class split`. */
  readonly crops?: readonly string[];
}

export const BY_2 = 'https://creativecommons.org/licenses/by/2.0/';

function imagesCsv(photos: readonly SamplePhoto[]): string {
  const empty = Object.fromEntries(IMAGES_COLUMNS.map((column) => [column, '']));
  return formatCsv(
    IMAGES_COLUMNS,
    photos.map(
      ({ id, author = `Author of ${id}`, licence = BY_2, url, status = 'ok' }) =>
        ({
          ...empty,
          ...{ ImageID: id, Status: status, Author: author, License: licence },
          LogicalKey: ['ok', 'changed'].includes(status) ? `images/${id}.jpg` : '',
          OriginalURL: url ?? `https://photos.example/${id}_o.jpg`,
          OriginalLandingURL: `https://photos.example/view/${id}/`,
        }) as ImagesRow,
    ),
  );
}

function cropsCsv(photos: readonly SamplePhoto[]): string {
  const empty = Object.fromEntries(CROPS_COLUMNS.map((column) => [column, '']));
  const rows = photos.flatMap(({ id, crops = [] }) =>
    crops.map((crop, index) => {
      const [Class = '', Split = ''] = crop.split(' ');
      const LogicalKey = `images_cropped/${Class}/${id}_${String(index).padStart(12, '0')}.jpg`;
      return { ...empty, LogicalKey, ImageID: id, Class, Split } as CropsRow;
    }),
  );
  return formatCsv(CROPS_COLUMNS, rows);
}

export interface SampleBase {
  readonly use: 'data' | 'model';
  readonly name: string;
  readonly topHash: string;
}

/** A package of photos; with a model or bases where they are given. */
export function photoPackage(
  photos: readonly SamplePhoto[] | undefined,
  {
    model = false,
    bases,
    more = {},
  }: { model?: boolean; bases?: readonly SampleBase[]; more?: Files } = {},
): SamplePackage & { readonly topHash: string } {
  const sample = samplePackage({
    ...(photos === undefined
      ? { 'README.md': 'no photos' }
      : { 'metadata/images.csv': imagesCsv(photos), 'metadata/crops.csv': cropsCsv(photos) }),
    ...(model ? { 'models/model.json': '{}' } : {}),
    ...(bases === undefined ? {} : { 'manifest.lock.json': JSON.stringify({ bases }) }),
    ...more,
  });
  return { ...sample, topHash: topHash(sample.pkg) };
}
