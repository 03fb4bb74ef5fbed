/** The dataset step: the data of a package that is there, as the outputs of the steps that made it. */
import { PkgError } from '../runtime/errors.ts';
import { type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import type { StepInputs, StepOutputs } from './step.ts';

/** Where the tables of a selection stand in a package, beside those that people read too. */
const SELECTION_FOLDER = 'metadata/selection/';

/** The files of a selection by their logical keys. */
const SELECTION_FILES: readonly (readonly [path: string, logicalKey: string])[] = [
  ['boxes.csv', 'metadata/boxes.csv'],
  ['classes.csv', 'metadata/classes.csv'],
  ['images.csv', `${SELECTION_FOLDER}images.csv`],
  ['counts.json', `${SELECTION_FOLDER}counts.json`],
];

/** It is there only where the source has a hierarchy. */
const HIERARCHY: readonly [path: string, logicalKey: string] = [
  'hierarchy.json',
  `${SELECTION_FOLDER}hierarchy.json`,
];

/** The files of a package under their logical keys, as a selection and what was made of it keep them. */
export function selectionFiles(selection: Tree): readonly TreeEntry[] {
  return [...SELECTION_FILES, HIERARCHY].flatMap(([path, logicalKey]) =>
    selection
      .filter((entry) => entry.path === path)
      .map((entry) => ({ ...entry, path: logicalKey })),
  );
}

/**
 * The selection that a package records: the output of its query.
 * @throws PkgError `not-found` where the package does not record it.
 */
export function recordedSelection(data: Tree): Tree {
  const hierarchy = data.filter(({ path }) => path === HIERARCHY[1]);
  return treeOf([
    ...SELECTION_FILES.map(([path, logicalKey]) => ({ ...demand(data, logicalKey), path })),
    ...hierarchy.map((entry) => ({ ...entry, path: HIERARCHY[0] })),
  ]);
}

/** The part of a package's files that a data set consists of; what else is there does not count. */
export function dataOfPackage(files: Tree): Tree {
  const tables = [...SELECTION_FILES, HIERARCHY].map(([, logicalKey]) => logicalKey);
  const known = new Set([...tables, 'metadata/images.csv', 'metadata/crops.csv']);
  return files.filter(
    ({ path }) =>
      path.startsWith('images/') || path.startsWith('images_cropped/') || known.has(path),
  );
}

/**
 * Takes `inputs.data`, the files of a package below `images/`, `images_cropped/` and `metadata/`, apart.
 * Outputs `selection`, `images`, `photos`, `crops` and `table` (`crops.csv` with its splits), each as the
 * steps that made them left them; no byte is read.
 * @throws PkgError `not-found` where the package is no data set that pkg built.
 */
export function openDataset(inputs: StepInputs): StepOutputs {
  const data = inputs['data'] ?? [];
  const below = (folder: string) => data.filter(({ path }) => path.startsWith(folder));
  return {
    selection: recordedSelection(data),
    images: [{ ...demand(data, 'metadata/images.csv'), path: 'images.csv' }],
    photos: below('images/'),
    crops: below('images_cropped/'),
    table: [{ ...demand(data, 'metadata/crops.csv'), path: 'crops.csv' }],
  };
}

function demand(data: Tree, logicalKey: string): TreeEntry {
  const entry = data.find(({ path }) => path === logicalKey);
  if (entry !== undefined) return entry;
  throw new PkgError('not-found', `the package has no ${logicalKey}`, {
    hint: 'Only a data set that this or a later version of pkg built can be built upon; build it again.',
  });
}
