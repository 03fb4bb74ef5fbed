/** A network's Keras topology, of whoever wrote it, read as a planned network. */
import { z } from 'zod';
import { type LayerSpec, type Network, planNetwork, sizeOf } from '../classifier/classifier.ts';
import { PkgError } from '../runtime/errors.ts';
import { parseLayer } from './parse-layer.ts';
import { broken, foreign, quoted } from './refusals.ts';

/** With the input, which is listed as a layer. */
const MAX_LAYERS = 1001;

/** Numbers in one layer's output for one example: 1 GiB of them. */
const MAX_FEATURES = 2 ** 28;

const side = z.int().min(1).max(8192);

/** Batch, height, width, channels. */
const batchShape = z.tuple([z.null(), side, side, z.literal(3)]);

const layerSchema = z.object({ class_name: z.string(), config: z.unknown() });

const nameSchema = z.object({ name: z.string() });

/** Keras 2 and TensorFlow.js; their first versions had the bare list of layers. */
const sequentialConfig = z.union([
  z.object({ layers: z.array(z.unknown()) }).transform(({ layers }) => layers),
  z.array(z.unknown()),
]);

const topologySchema = z.object({ class_name: z.string(), config: z.unknown() });

/** TensorFlow's converter puts the topology one level down. */
const wrappedSchema = z.object({ model_config: topologySchema });

const inputConfigSchema = z.object({ batch_input_shape: batchShape });

export interface ParsedNetwork {
  readonly network: Network;
  /** What the file calls each layer, which its weights' names begin with. */
  readonly names: readonly string[];
}

/**
 * Reads a sequential network; its layers get the names that Keras would give them.
 * @throws PkgError `integrity` where it is broken, `usage` where pkg does not run such a network.
 */
export function parseNetwork(topology: unknown, where: string): ParsedNetwork {
  const wrapped = wrappedSchema.safeParse(topology);
  const { class_name, config } = topologyOf(
    wrapped.success ? wrapped.data.model_config : topology,
    where,
  );
  if (class_name !== 'Sequential') {
    throw foreign(where, `a network that is a ${quoted(class_name)}`);
  }
  const list = sequentialConfig.safeParse(config);
  if (!list.success) throw broken(where, 'its network has no list of layers');
  if (list.data.length > MAX_LAYERS) {
    throw broken(where, `its network has more than ${String(MAX_LAYERS)} layers`);
  }
  const found = list.data.map((layer, index) => layerOf(layer, index, where));
  if (found.length === 0) throw broken(where, 'its network has no layers');
  const names = new Set(found.map(({ name }) => name));
  if (names.size !== found.length) throw broken(where, 'two of its layers have the same name');
  const [first] = found;
  const [, height, width, channels] = inputShapeOf(first?.config, where);
  const layers = first?.className === 'InputLayer' ? found.slice(1) : found;
  if (layers.length === 0) throw broken(where, 'its network has no layers');
  const specs = layers.map((layer) => parseLayer(layer, where));
  const network = plan([height, width, channels], specs, where);
  return { network, names: layers.map(({ name }) => name) };
}

function topologyOf(topology: unknown, where: string): z.infer<typeof topologySchema> {
  const parsed = topologySchema.safeParse(topology);
  if (parsed.success) return parsed.data;
  throw broken(where, 'it holds no network (modelTopology)');
}

function layerOf(layer: unknown, index: number, where: string) {
  const parsed = layerSchema.safeParse(layer);
  const named = nameSchema.safeParse(parsed.data?.config);
  if (!parsed.success || !named.success) {
    throw broken(where, `its layer ${String(index)} has no class or no name`);
  }
  const { class_name: className, config } = parsed.data;
  return { className, name: named.data.name, config };
}

function inputShapeOf(config: unknown, where: string): z.infer<typeof batchShape> {
  const parsed = inputConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data.batch_input_shape;
  throw foreign(where, 'a network whose input is no RGB picture');
}

function plan(
  inputShape: readonly [number, number, number],
  specs: readonly LayerSpec[],
  where: string,
): Network {
  const network = planOrBreak(inputShape, specs, where);
  const huge = network.layers.find(({ outputShape }) => sizeOf(outputShape) > MAX_FEATURES);
  if (huge === undefined) return network;
  throw broken(where, `the layer ${huge.name} gives more than ${String(MAX_FEATURES)} numbers`);
}

function planOrBreak(
  inputShape: readonly [number, number, number],
  specs: readonly LayerSpec[],
  where: string,
): Network {
  try {
    return planNetwork(inputShape, specs);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'manifest') throw error;
    throw broken(where, `${error.key ?? 'model.layers'}: ${error.message}`);
  }
}
