/** Where a photo is asked for: its original address, or a place with a pattern of addresses. */
import { dirname } from 'node:path';
import { localPath } from '../http/download.ts';
import type { ImageRow } from '../openimages/openimages.ts';
import { PkgError } from '../runtime/errors.ts';
import { type PhotoAddress, reachOfTable } from './answer.ts';

/**
 * A function from an image to its address at one place. Relative addresses are relative to the table
 * they stand in; a table from the network names no local files.
 * @param tables the addresses of the image tables.
 * @param folder what relative table addresses are relative to.
 */
export async function addressing(
  tables: readonly string[],
  folder: string,
  place: string,
): Promise<(image: ImageRow) => PhotoAddress> {
  const bases = await Promise.all(
    tables.map(async (table) => ({
      table,
      path: localPath(table, folder),
      reach: await reachOfTable(table),
    })),
  );
  return (image) => {
    const base = bases[Number(image.Table)];
    if (base === undefined) throw new Error(`image ${image.ImageID} is of no table`);
    const { OriginalMD5: originalMd5 } = image;
    if (place !== 'original') {
      const url = fillTemplate(place, image);
      return { url, folder, reach: 'anywhere', originalMd5 };
    }
    const { path, reach } = base;
    if (path !== undefined) {
      return { url: image.OriginalURL, folder: dirname(path), reach, originalMd5 };
    }
    const url =
      image.OriginalURL !== '' && URL.canParse(image.OriginalURL, base.table)
        ? new URL(image.OriginalURL, base.table).href
        : image.OriginalURL;
    return { url, folder: undefined, reach, originalMd5 };
  };
}

/** A place such as `s3://bucket/{Subset}/{ImageID}.jpg` for one image. */
function fillTemplate(place: string, image: ImageRow): string {
  return place.replace(/\{([A-Za-z]+)\}/g, (whole, name) => {
    if (name === 'Subset') return encodeURIComponent(image.Subset);
    if (name === 'ImageID') return encodeURIComponent(image.ImageID);
    throw new PkgError('manifest', `${whole} is not known in a place`, {
      key: 'data.fetch.from',
      hint: 'Places are "original" or addresses with {Subset} and {ImageID}.',
    });
  });
}
