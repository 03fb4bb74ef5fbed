/** A model as the HDF5 file that Keras loads: `clf.h5`. */
import type { Dataset, Group } from 'h5wasm';
import { invariant } from '../runtime/errors.ts';
import { clearModificationTime } from './hdf5-times.ts';
import { type Model, type NamedWeight, namedWeights } from './models.ts';
import { formatTopology } from './topology.ts';
import { formatKerasTraining } from './training.ts';

/** The dialect of the file: Keras 3 and 2 both read what this version wrote. */
const KERAS_VERSION = '2.15.0';
const BACKEND = 'tensorflow';

/** In the memory of the HDF5 library. A file is written without a pause, so one name will do. */
const MEMORY_PATH = '/clf.h5';

/**
 * The oldest format: every reader has it, and only data sets carry a time in it, without a checksum.
 * The upper bound is not reached.
 */
const FORMAT_VERSIONS: ['earliest', 'v110'] = ['earliest', 'v110'];

/** Decides bytes of the file, so it is part of the toolchain. */
export const H5WASM_VERSION = '0.10.3';

/**
 * Writes a model as `model.save('clf.h5')` of Keras 2 does (its `hdf5_format.py`): the same bytes
 * whenever and wherever it is written.
 */
export async function formatKeras(model: Model): Promise<Uint8Array> {
  const weights = namedWeights(model);
  const { File, ready } = await import('h5wasm');
  const library = await ready;
  // Else the library goes on past what it could not write.
  library.activate_throwing_error_handler();
  try {
    const file = new File(MEMORY_PATH, 'w', { libver: FORMAT_VERSIONS });
    let addresses: readonly number[];
    try {
      addresses = writeModel(file, model, weights).map(headerAddress);
    } finally {
      file.close();
    }
    const bytes = library.FS.readFile(MEMORY_PATH);
    for (const address of addresses) clearModificationTime(bytes, address);
    return bytes;
  } finally {
    if (library.FS.analyzePath(MEMORY_PATH).exists) library.FS.unlink(MEMORY_PATH);
    library.deactivate_throwing_error_handler();
  }
}

/** Writes everything and returns the data sets. */
function writeModel(
  file: Group,
  { network, training }: Model,
  weights: readonly NamedWeight[],
): readonly Dataset[] {
  writeText(file, 'keras_version', KERAS_VERSION);
  writeText(file, 'backend', BACKEND);
  writeText(file, 'model_config', JSON.stringify(formatTopology(network)));
  if (training !== undefined) {
    writeText(file, 'training_config', JSON.stringify(formatKerasTraining(training)));
  }
  const group = file.create_group('model_weights');
  writeText(group, 'keras_version', KERAS_VERSION);
  writeText(group, 'backend', BACKEND);
  const names = network.layers.map(({ name }) => name);
  writeNames(group, 'layer_names', names);
  return names.flatMap((name) => {
    const own = weights.filter(({ layer }) => layer === name);
    return writeLayer(group.create_group(name), name, own);
  });
}

/** Keras looks for a weight under its layer's name twice: `conv2d/conv2d/kernel:0`. */
function writeLayer(
  group: Group,
  layer: string,
  weights: readonly NamedWeight[],
): readonly Dataset[] {
  const names = weights.map(({ name }) => `${layer}/${name}:0`);
  writeNames(group, 'weight_names', names);
  if (weights.length === 0) return [];
  const inner = group.create_group(layer);
  return weights.map(({ name, shape, values }) =>
    inner.create_dataset({ name: `${name}:0`, data: values, shape: [...shape], dtype: '<f' }),
  );
}

/** A text of any length, kept outside the object header, which holds 64 KiB at most. */
function writeText(group: Group, name: string, text: string): void {
  group.create_attribute(name, text);
}

/** Texts of one length, as numpy has them; all are ASCII. */
function writeNames(group: Group, name: string, texts: readonly string[]): void {
  const length = Math.max(1, ...texts.map((text) => text.length));
  group.create_attribute(name, [...texts], [texts.length], `S${String(length)}`);
}

/** Where the header of a data set begins in its file: that is what a reference to it holds. */
function headerAddress(dataset: Dataset): number {
  const reference = Uint8Array.from(dataset.create_reference().ref_data);
  invariant(reference.length === 8, 'an address has 8 bytes');
  return Number(new DataView(reference.buffer).getBigUint64(0, true));
}
