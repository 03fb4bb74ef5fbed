/** A model in a sandbox that fits a data set: what it takes, gives and says is checked here. */
import { type ExampleSource, readBatches } from '../classifier/batches.ts';
import type { Network } from '../classifier/classifier.ts';
import type { BatchResult, Loss, Optimizer, TrainingBatch } from '../classifier/engine.ts';
import type { EpochRow } from '../classifier/fit.ts';
import { initialWeights } from '../classifier/initial-weights.ts';
import { createRandom } from '../classifier/random.ts';
import { createWarper, type Warper } from '../engine/warper.ts';
import { formatTopology } from '../models/topology.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { withCode } from '../sandbox/code-folder.ts';
import { type CodeLimits, DEFAULT_LIMITS } from '../sandbox/limits.ts';
import {
  createModel,
  type ModelProcess,
  type ModelSource,
  type ReadModel,
} from '../sandbox/model-process.ts';
import { openSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree } from '../store/tree.ts';
import { checkShapes, judge, type OutputKind, probabilitiesOf } from './tensorflow-outputs.ts';
import type { TrainParams } from './training.ts';

/** What code of a manifest runs in; nothing of it decides a byte of what is trained. */
export interface CodeContext {
  readonly runtime: Runtime;
  readonly store: Store;
  /** Whether code that comes with a manifest may run. */
  readonly code: 'refuse' | 'run';
  /** The commit the code is of, for messages. */
  readonly commit?: string;
  readonly limits?: Partial<CodeLimits>;
}

/** The name of the archive in a step's input `code`. */
export const CODE_ARCHIVE = 'code.tar';

/** What a model is made for. */
export interface ModelSubject {
  readonly classes: readonly string[];
  readonly optimizer: Optimizer;
  /** The manifest's layers, planned; undefined where an entry makes the model. */
  readonly network: Network | undefined;
  /** The tree with the archive of the code; undefined where there is none. */
  readonly code: Tree | undefined;
}

/** A model that fits its subject; methods fail with `manifest` where the code does. */
export interface TensorflowModel {
  readonly layers: number;
  readonly weights: number;
  readonly loss: Loss;
  train(batch: TrainingBatch): Promise<BatchResult>;
  /** Probabilities of all examples, in their order: float32 [count, units]. */
  predict(source: ExampleSource, whenDone?: (examples: number) => void): Promise<Float32Array>;
  /** Loss and accuracy on examples, as an epoch's row has them. */
  judge(source: ExampleSource): Promise<Pick<EpochRow, 'val_loss' | 'val_accuracy'>>;
  read(): Promise<ReadModel>;
  readValues(): Promise<Float32Array>;
  writeValues(values: Float32Array): Promise<void>;
}

/**
 * Makes the model that a manifest asks for and hands it to `use`; its process ends with it.
 * @throws PkgError `usage` where it is code that must not run; `manifest` where the code fails, or makes
 * a model that takes other pictures or tells other classes apart.
 */
export async function withTensorflowModel<Result>(
  context: CodeContext,
  params: TrainParams,
  subject: ModelSubject,
  use: (model: TensorflowModel) => Promise<Result>,
): Promise<Result> {
  const { runtime, store, commit } = context;
  const { entry } = params;
  if (entry === undefined) {
    return await withSandbox(context, params, { name: 'TensorFlow.js' }, async (sandbox, name) =>
      use(await openModel(context, params, subject, { sandbox, name })),
    );
  }
  const what = `${entry} of commit ${commit?.slice(0, 12) ?? 'that the lockfile pins'}`;
  if (context.code === 'refuse') throw refusal(what);
  invariant(subject.code !== undefined, 'a model with an entry comes with code');
  const archive = entryAt(subject.code, CODE_ARCHIVE);
  return await withCode(runtime, store, { archive, entry }, async (code) =>
    withSandbox(context, params, { name: entry, folder: code.folder }, async (sandbox, name) =>
      use(await openModel(context, params, subject, { sandbox, name, ...code })),
    ),
  );
}

function refusal(what: string): PkgError {
  return new PkgError('usage', `the model is made by code, ${what}, which runs only where it may`, {
    key: 'model.entry',
    hint: 'Read it, then add --allow-code: it runs in a process of its own, without network, that can open nothing but its own files.',
  });
}

async function withSandbox<Result>(
  { runtime, limits }: CodeContext,
  { seed }: TrainParams,
  { name, folder }: { readonly name: string; readonly folder?: string },
  use: (sandbox: Sandbox, name: string) => Promise<Result>,
): Promise<Result> {
  const random = createRandom(seed, ['model code']);
  const draw = () => Math.floor(random() * 2 ** 32) | 0;
  const sandbox = await openSandbox(runtime, {
    ...{ name, folder, seed: [draw(), draw(), draw(), draw()] },
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  try {
    return await use(sandbox, name);
  } finally {
    await sandbox.close();
  }
}

interface Place {
  readonly sandbox: Sandbox;
  readonly name: string;
  readonly folder?: string;
  readonly entry?: string;
}

async function openModel(
  context: CodeContext,
  params: TrainParams,
  subject: ModelSubject,
  place: Place,
): Promise<TensorflowModel> {
  const { input, fit, augment, seed } = params;
  const { network, classes, optimizer } = subject;
  invariant(input !== undefined, 'a model without a base has an input');
  const { sandbox, name, folder } = place;
  const limits = { ...DEFAULT_LIMITS, ...context.limits };
  const made = await createModel(
    { sandbox, name, folder, limits },
    { source: sourceOf(params, subject, place), input, optimizer },
  );
  if (network !== undefined) await writeInitial(made, network, seed);
  const shape = [input.heightPx, input.widthPx, 3] as const;
  const units = checkShapes(made.kind, shape, classes, name);
  const loss = fit.loss ?? (units === 1 ? 'binaryCrossentropy' : 'categoricalCrossentropy');
  const warp = await createWarper(shape, augment?.fill);
  const model = modelOf(made, { shape, units, loss, warp, batchSize: fit.batchSize, name });
  // So that a model whose outputs are none is found before a training, not after it.
  await model.predict(greyPicture(shape));
  return model;
}

function sourceOf(
  { params = {} }: TrainParams,
  { network, classes }: ModelSubject,
  { entry = '' }: Place,
): ModelSource {
  return network === undefined
    ? { kind: 'entry', entry, classes, params }
    : { kind: 'topology', topology: formatTopology(network) };
}

function greyPicture(shape: readonly [number, number, number]): ExampleSource {
  return {
    ...{ count: 1, shape, labels: new Int32Array(1) },
    read: async (_, into) => {
      into.fill(128);
      await Promise.resolve();
    },
  };
}

/** The weights that the deterministic engine begins with too. */
async function writeInitial(made: ModelProcess, network: Network, seed: number): Promise<void> {
  const names = network.layers.flatMap((layer) =>
    layer.weights.map(({ name }) => `${layer.name}/${name}`),
  );
  const weights = initialWeights(network, seed);
  const all = new Float32Array(weights.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { name } of made.kind.weights) {
    const values = weights[names.indexOf(name)];
    invariant(values !== undefined, `the network has a weight ${name}`);
    all.set(values, at);
    at += values.length;
  }
  invariant(at === all.length, 'every weight of the network is one of the model');
  await made.write(all);
}

interface Opened extends OutputKind {
  readonly shape: readonly [number, number, number];
  readonly warp: Warper;
  readonly batchSize: number;
}

function modelOf(made: ModelProcess, opened: Opened): TensorflowModel {
  const { shape, loss, warp, batchSize, units } = opened;
  const { layers, weights } = made.kind;
  const predict: TensorflowModel['predict'] = async (source, whenDone) => {
    const outputs = new Float32Array(source.count * units);
    let at = 0;
    for await (const { count, pixels } of readBatches(source, { batchSize })) {
      const given = await made.predict({ count, shape, pixels: warp({ count, pixels }) });
      outputs.set(probabilitiesOf(given, opened), at);
      at += given.length;
      whenDone?.(count);
    }
    return outputs;
  };
  return {
    layers,
    weights: weights.length,
    loss,
    async train({ count, pixels, transforms, labels, exampleWeights, learningRate }) {
      const batch = { count, shape, labels, exampleWeights, learningRate, loss };
      return await made.train({ ...batch, pixels: warp({ count, pixels, transforms }) });
    },
    predict,
    async judge(source) {
      if (source.count === 0) return { val_loss: null, val_accuracy: null };
      return judge(await predict(source), source.labels, opened);
    },
    read: async () => await made.read(),
    readValues: async () => (await made.read()).values,
    writeValues: async (values) => {
      await made.write(values);
    },
  };
}
