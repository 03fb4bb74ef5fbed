/** A model in the layers format of TensorFlow.js: `model.json` and `weights.bin`. */
import { z } from 'zod';
import { type Network, sizeOf, type Weights } from '../classifier/classifier.ts';
import { allFinite, classCount, type Model, type ModelInput, namedWeights } from './models.ts';
import { type ParsedNetwork, parseNetwork } from './parse-network.ts';
import { broken, quoted } from './refusals.ts';
import { formatTopology } from './topology.ts';
import { formatTfjsTraining } from './training.ts';

/** The version whose files these are; its `tf.loadLayersModel` is what tests load them by. */
const TFJS_LAYERS_VERSION = '4.22.0';

const WEIGHTS_PATH = 'weights.bin';

/** A topology of a thousand layers has half a million characters. */
const MAX_JSON_LENGTH = 16_000_000;

/** Four weights a layer, and an optimizer's two or three for each. */
const MAX_WEIGHTS = 16_000;

const BYTES_PER_NUMBER = 4;

export interface TfjsFiles {
  readonly modelJson: string;
  /** All weights as little-endian float32, row-major, one after the other. */
  readonly weightsBin: Uint8Array;
}

export interface TfjsOptions {
  /** What else is to stand beside classes, input and threshold; plain JSON. */
  readonly userDefinedMetadata?: Readonly<Record<string, unknown>>;
}

/** A model in the terms of TensorFlow.js, whose network need not be one that pkg runs. */
export interface LayersModel extends Pick<Model, 'classes' | 'input' | 'threshold' | 'training'> {
  /** What its `toJSON` gives. */
  readonly topology: object;
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** The numbers of all weights, in their order. */
  readonly values: readonly Float32Array[];
}

/**
 * Writes a model as `model.save` of tfjs-layers 4.22 does (its `getModelJSONForModelArtifacts`), with
 * our own facts in `userDefinedMetadata`, which TensorFlow.js hands on.
 */
export function formatTfjs(model: Model, options: TfjsOptions = {}): TfjsFiles {
  const weights = namedWeights(model);
  const layersModel = {
    ...model,
    topology: {
      ...formatTopology(model.network),
      keras_version: `tfjs-layers ${TFJS_LAYERS_VERSION}`,
      backend: 'tensor_flow.js',
    },
    weights: weights.map(({ layer, name, shape }) => ({ name: `${layer}/${name}`, shape })),
    values: weights.map(({ values }) => values),
  };
  return formatLayersModel(layersModel, options);
}

/** Writes any model of TensorFlow.js as `formatTfjs` writes one of ours. */
export function formatLayersModel(model: LayersModel, options: TfjsOptions = {}): TfjsFiles {
  const { topology, weights, values, classes, input, threshold, training } = model;
  const json = {
    modelTopology: topology,
    format: 'layers-model',
    generatedBy: `TensorFlow.js tfjs-layers v${TFJS_LAYERS_VERSION}`,
    convertedBy: null,
    weightsManifest: [
      {
        paths: [WEIGHTS_PATH],
        weights: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
    userDefinedMetadata: { ...options.userDefinedMetadata, classes, input, threshold },
    ...(training === undefined ? {} : { trainingConfig: formatTfjsTraining(training) }),
  };
  return {
    modelJson: `${JSON.stringify(json, undefined, 1)}\n`,
    weightsBin: concatNumbers(values),
  };
}

const side = z.int().min(1).max(8192);

const inputSchema = z.object({
  widthPx: side,
  heightPx: side,
  channels: z.literal('RGB'),
  rescale: z.number().positive(),
  resize: z.string().max(10_000),
});

const metadataSchema = z.object({
  classes: z.array(z.string()),
  input: inputSchema,
  threshold: z.number().min(0).max(1),
});

const storedWeightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)).max(8),
  dtype: z.string(),
  quantization: z.unknown().optional(),
  group: z.string().optional(),
});

type StoredWeight = z.infer<typeof storedWeightSchema>;

const documentSchema = z.object({
  format: z.literal('layers-model').optional(),
  modelTopology: z.unknown(),
  weightsManifest: z.array(z.object({ weights: z.array(storedWeightSchema).max(MAX_WEIGHTS) })),
  userDefinedMetadata: metadataSchema,
});

/**
 * Reads a model, whoever wrote it; `where` is what messages call `model.json`.
 * @throws PkgError `integrity` where the files are broken or do not fit each other, `usage` where pkg
 * does not run such a network.
 */
export function parseTfjs(modelJson: string, weightsBin: Uint8Array, where: string): Model {
  const document = parseDocument(modelJson, where);
  const parsed = parseNetwork(document.modelTopology, where);
  const stored = document.weightsManifest.flatMap((group) => group.weights);
  const weights = parseWeights(parsed, stored, weightsBin, where);
  const { classes, input, threshold } = document.userDefinedMetadata;
  checkMetadata(parsed.network, classes, input, where);
  return { network: parsed.network, weights, classes, input, threshold };
}

/**
 * Reads what a model says of itself, whatever its network.
 * @throws PkgError `integrity` where it says nothing, or the file is broken.
 */
export function parseMetadata(
  modelJson: string,
  where: string,
): Pick<Model, 'classes' | 'input' | 'threshold'> {
  return parseDocument(modelJson, where).userDefinedMetadata;
}

function parseDocument(modelJson: string, where: string): z.infer<typeof documentSchema> {
  if (modelJson.length > MAX_JSON_LENGTH) {
    throw broken(where, `it is longer than ${String(MAX_JSON_LENGTH)} characters`);
  }
  const parsed = documentSchema.safeParse(parseJson(modelJson, where));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  throw broken(where, `${path === '' ? 'it' : path} is no part of a TensorFlow.js layers model`);
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw broken(where, 'it is no JSON');
  }
}

/** Finds each weight of the network by its name, since TensorFlow.js has an order of its own. */
function parseWeights(
  { network, names }: ParsedNetwork,
  stored: readonly StoredWeight[],
  bytes: Uint8Array,
  where: string,
): Weights {
  const places = placesOf(stored, bytes.length, where);
  const wanted = network.layers.flatMap((layer, index) =>
    layer.weights.map(({ name, shape }) => ({ name: `${names[index] ?? ''}/${name}`, shape })),
  );
  const strangers = new Set(places.keys());
  const weights = wanted.map(({ name, shape }) => {
    const place = places.get(name);
    if (place === undefined) throw broken(where, `it lacks the weight ${quoted(name)}`);
    strangers.delete(name);
    if (place.dtype !== 'float32' || place.shape.join() !== shape.join()) {
      const expected = `float32 of ${shape.join(' x ')}`;
      throw broken(where, `its weight ${quoted(name)} is not ${expected}, as its layer has it`);
    }
    const values = numbersAt(bytes, place.offset, sizeOf(shape));
    if (!allFinite(values)) {
      throw broken(where, `its weight ${quoted(name)} holds what is no finite number`);
    }
    return values;
  });
  const [stranger] = strangers;
  if (stranger === undefined) return weights;
  throw broken(where, `its weight ${quoted(stranger)} belongs to no layer`);
}

/** Where each weight of a layer begins, in bytes; those of an optimizer are passed over. */
function placesOf(
  stored: readonly StoredWeight[],
  sizeBytes: number,
  where: string,
): ReadonlyMap<string, StoredWeight & { readonly offset: number }> {
  const places = new Map<string, StoredWeight & { readonly offset: number }>();
  let offset = 0;
  for (const weight of stored) {
    if (weight.quantization !== undefined || !['float32', 'int32'].includes(weight.dtype)) {
      throw broken(where, `its weight ${quoted(weight.name)} is quantized, or no float32`);
    }
    if (places.has(weight.name)) {
      throw broken(where, `it has two weights ${quoted(weight.name)}`);
    }
    if (weight.group !== 'optimizer') places.set(weight.name, { ...weight, offset });
    offset += sizeOf(weight.shape) * BYTES_PER_NUMBER;
  }
  if (offset === sizeBytes) return places;
  const what = `it describes ${String(offset)} bytes of weights, but there are ${String(sizeBytes)}`;
  throw broken(where, what);
}

function checkMetadata(
  network: Network,
  classes: readonly string[],
  input: ModelInput,
  where: string,
): void {
  const [heightPx, widthPx] = network.inputShape;
  if (input.heightPx !== heightPx || input.widthPx !== widthPx) {
    throw broken(where, 'userDefinedMetadata.input has another size than its network takes');
  }
  if (classes.length !== classCount(network)) {
    const what = `${String(classes.length)} classes, but its network tells ${String(classCount(network))} apart`;
    throw broken(where, `userDefinedMetadata.classes has ${what}`);
  }
}

function concatNumbers(arrays: readonly Float32Array[]): Uint8Array {
  const numbers = new Float32Array(arrays.reduce((total, { length }) => total + length, 0));
  let start = 0;
  for (const array of arrays) {
    numbers.set(array, start);
    start += array.length;
  }
  return new Uint8Array(numbers.buffer);
}

/** Copies numbers out of bytes, which need not begin at a multiple of four. */
function numbersAt(bytes: Uint8Array, offset: number, count: number): Float32Array {
  const numbers = new Float32Array(count);
  const part = bytes.subarray(offset, offset + count * BYTES_PER_NUMBER);
  new Uint8Array(numbers.buffer).set(part);
  return numbers;
}
