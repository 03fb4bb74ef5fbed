/** The exclude step: a selection as it would be without some photos, or without all of an author. */
import { z } from 'zod';
import { collectRows, formatCsv, readCsv } from '../openimages/csv.ts';
import { SELECTED_BOX_COLUMNS, SELECTED_IMAGE_COLUMNS } from '../openimages/openimages.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, treeOf } from '../store/tree.ts';
import type { StepInputs, StepOutputs } from './step.ts';

const countsSchema = z.record(z.string(), z.int());

/**
 * Leaves images out of `inputs.selection`, with all their boxes. Outputs `selection`. What is left is as it
 * was: no other image is taken instead, so that whatever differs afterwards is due to these images.
 * @param without ImageIDs, or names of authors, as they stand in the image table.
 * @throws PkgError `not-found` for one that no selected image has.
 */
export async function excludeImages(
  runtime: Runtime,
  store: Store,
  { without }: { readonly without: readonly string[] },
  inputs: StepInputs,
): Promise<StepOutputs> {
  const selection = inputs['selection'] ?? [];
  const open = (path: string) =>
    fileBytes(store.path(entryAt(selection, path).digest), runtime.signal);
  const images = await collectRows(readCsv(open('images.csv'), SELECTED_IMAGE_COLUMNS));
  const boxes = await collectRows(readCsv(open('boxes.csv'), SELECTED_BOX_COLUMNS));
  const known = new Set(images.flatMap(({ ImageID, Author }) => [ImageID, Author]));
  const stranger = without.find((name) => !known.has(name));
  if (stranger !== undefined) {
    throw new PkgError('not-found', `no selected photo has the ImageID or author "${stranger}"`, {
      hint: didYouMean(stranger, known) ?? 'See metadata/images.csv for those there are.',
    });
  }
  const names = new Set(without);
  const dropped = new Set(
    images
      .filter(({ ImageID, Author }) => names.has(ImageID) || names.has(Author))
      .map(({ ImageID }) => ImageID),
  );
  const keptImages = images.filter(({ ImageID }) => !dropped.has(ImageID));
  const keptBoxes = boxes.filter(({ ImageID }) => !dropped.has(ImageID));
  const before = countsSchema.parse(
    JSON.parse(await store.readText(entryAt(selection, 'counts.json').digest)),
  );
  const faulty = (fault: string) => keptBoxes.filter(({ Fault }) => Fault === fault).length;
  const counts = {
    ...before,
    boxes: keptBoxes.length,
    images: keptImages.length,
    orphan: faulty('orphan'),
    'invalid-box': faulty('invalid-box'),
    'repeated-box': faulty('repeated-box'),
  };
  const renewed = new Map([
    ['boxes.csv', formatCsv(SELECTED_BOX_COLUMNS, keptBoxes)],
    ['images.csv', formatCsv(SELECTED_IMAGE_COLUMNS, keptImages)],
    ['counts.json', `${JSON.stringify(counts, null, 2)}\n`],
  ]);
  const entries = [];
  for (const entry of selection) {
    const text = renewed.get(entry.path);
    entries.push(text === undefined ? entry : { ...entry, ...(await store.putBytes(text)) });
  }
  return { selection: treeOf(entries) };
}
