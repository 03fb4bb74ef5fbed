/** The base of a transfer: a published model whose first layers, weights and all, a network begins with. */
import type { LayerSpec, Weights } from '../classifier/classifier.ts';
import type { BaseParams, ModelParams } from '../manifest/model.ts';
import type { Model } from '../models/models.ts';
import { broken, foreign } from '../models/refusals.ts';
import { parseTfjs } from '../models/tfjs.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree } from '../store/tree.ts';

/** The files of a step's input `base`, by their paths. */
export const BASE_FILES = ['model.json', 'weights.bin'] as const;

/** Where a package keeps the base that its classifier was trained on. */
export const BASE_FOLDER = 'models/base/';

/** What the input kernel multiplies a channel's value, 0 to 255, by. */
const RESCALE = Math.fround(1 / 255);

/** The largest topology that is parsed has 16 million characters, of at most 4 bytes in UTF-8. */
const MAX_MODEL_BYTES = 64_000_000;

/** What the engine's 4 GiB could not hold beside gradients and a batch. */
const MAX_WEIGHTS_BYTES = 2 ** 31;

/** The logical keys of a base's `BASE_FILES` in its package: `model.base.path`, and its weights beside it. */
export function baseLogicalKeys({ path }: Pick<BaseParams, 'path'>): readonly [string, string] {
  return [path, `${path.slice(0, path.lastIndexOf('/') + 1)}weights.bin`];
}

/**
 * Reads the base that a step was given as `model.json` and `weights.bin`; `where` is what messages call it.
 * @throws PkgError `integrity` where the files are broken or too large, `usage` where pkg does not run such
 * a network.
 */
export async function readBaseModel(
  store: Store,
  files: Tree,
  where = 'model.base',
): Promise<Model> {
  const [json, weights] = BASE_FILES.map((path) => entryAt(files, path));
  invariant(json !== undefined && weights !== undefined, 'a base is two files');
  if (json.sizeBytes > MAX_MODEL_BYTES || weights.sizeBytes > MAX_WEIGHTS_BYTES) {
    throw broken(where, 'it is larger than any network that can be trained');
  }
  return parseBaseModel(await store.readText(json.digest), await store.read(weights.digest), where);
}

/**
 * The base that a model's parameters ask for; undefined where they ask for none.
 * @throws PkgError as `readBaseModel`.
 */
export async function findBaseModel(
  store: Store,
  { base }: Pick<ModelParams, 'base'>,
  files: Tree | undefined,
): Promise<Model | undefined> {
  if (base === undefined) return undefined;
  invariant(files !== undefined, 'a step that trains on a base is given its files');
  return await readBaseModel(store, files, `${base.package}: ${base.path}`);
}

/**
 * Reads a base from its bytes.
 * @throws PkgError as `readBaseModel`.
 */
export function parseBaseModel(modelJson: string, weightsBin: Uint8Array, where: string): Model {
  const model = parseTfjs(modelJson, weightsBin, where);
  if (Math.fround(model.input.rescale) !== RESCALE) {
    throw foreign(where, `a network whose input is rescaled by ${String(model.input.rescale)}`);
  }
  const names = model.network.layers.flatMap(({ weights }) => weights.map(({ name }) => name));
  const isSpread = (values: Float32Array) => values.every((value) => value >= 0);
  if (model.weights.some((values, at) => names[at] === 'moving_variance' && !isSpread(values))) {
    throw broken(where, 'a moving variance of it is below 0');
  }
  return model;
}

/** What a network takes over from its base. */
export interface KeptLayers {
  readonly specs: readonly LayerSpec[];
  /** Of these layers, in order. */
  readonly weights: Weights;
  /** How many of the layers, the first ones, are not trained. */
  readonly frozen: number;
}

/**
 * The layers that a manifest keeps of a base: as many as it says, else all up to the last flatten or
 * global pooling, which leaves out what told the base's own classes apart.
 * @throws PkgError `manifest` where the base has fewer layers, or fewer are kept than are to be frozen.
 */
export function keptLayers({ keep, freeze }: BaseParams, base: Model): KeptLayers {
  const { layers } = base.network;
  const kept = keep ?? endOfFeatures(base);
  const hint = `Its layers are ${layers.map(({ name }, at) => `${String(at + 1)} ${name}`).join(', ')}.`;
  if (kept > layers.length) {
    const what = `the base has ${countOf(layers.length)}, ${String(kept)} cannot be kept`;
    throw new PkgError('manifest', what, { key: 'model.base.keep', hint });
  }
  const frozen = freeze ?? kept;
  if (frozen > kept) {
    const what = `${countOf(kept)} of the base ${kept === 1 ? 'is' : 'are'} kept, ${String(frozen)} cannot be frozen`;
    throw new PkgError('manifest', what, { key: 'model.base.freeze', hint });
  }
  const first = layers.slice(0, kept);
  const count = first.reduce((sum, { weights }) => sum + weights.length, 0);
  return { specs: first.map(({ spec }) => spec), weights: base.weights.slice(0, count), frozen };
}

function countOf(layers: number): string {
  return `${String(layers)} ${layers === 1 ? 'layer' : 'layers'}`;
}

/** Layers up to the one that makes a vector of a feature map. */
function endOfFeatures({ network: { layers } }: Model): number {
  const last = layers.findLastIndex(
    ({ spec }) => spec.kind === 'flatten' || spec.kind === 'globalAveragePooling2d',
  );
  if (last >= 0) return last + 1;
  throw new PkgError('manifest', 'the base has no flatten and no global pooling to keep up to', {
    key: 'model.base',
    hint: 'Say with keep how many of its layers are taken.',
  });
}

/**
 * The size of a network's input: the manifest's, or the base's.
 * @throws PkgError `manifest` where the manifest asks for another one than the base takes.
 */
export function inputOf(
  { input, base: params }: Pick<ModelParams, 'input' | 'base'>,
  base: Model | undefined,
): NonNullable<ModelParams['input']> {
  if (params === undefined) {
    invariant(input !== undefined, 'a model without a base has an input');
    return input;
  }
  invariant(base !== undefined, 'a base is read before a network is planned on it');
  const { widthPx, heightPx } = base.input;
  if (input === undefined || (input.widthPx === widthPx && input.heightPx === heightPx)) {
    return { widthPx, heightPx };
  }
  const size = (side: { readonly widthPx: number; readonly heightPx: number }) =>
    `${String(side.widthPx)} x ${String(side.heightPx)}`;
  throw new PkgError('manifest', `the base takes ${size(base.input)} pixels, not ${size(input)}`, {
    key: 'model.input',
    hint: 'Leave model.input out: the base says it.',
  });
}
