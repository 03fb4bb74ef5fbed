/** Training by TensorFlow.js, in a sandbox: layers of the manifest, or what the pinned code's entry makes. */
import type { ExampleSource } from '../classifier/batches.ts';
import { sizeOf } from '../classifier/classifier.ts';
import { RESIZE } from '../images/resize.ts';
import { formatKeras } from '../models/keras.ts';
import type { Model } from '../models/models.ts';
import { formatLayersModel, parseTfjs, type TfjsFiles } from '../models/tfjs.ts';
import { formatCsv } from '../openimages/csv.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { ReadModel } from '../sandbox/model-process.ts';
import { type Tree, treeOf } from '../store/tree.ts';
import { type Examples, openExamples } from './example-reader.ts';
import { type Outputs, PREDICTED_SPLITS, writeOutputs } from './given-predictions.ts';
import { planFit, planTraining, type TrainingPlan } from './network.ts';
import type { StepInputs, StepOutputs } from './step.ts';
import { type Fitted, fitElsewhere } from './tensorflow-fit.ts';
import {
  type CodeContext,
  type ModelSubject,
  type TensorflowModel,
  withTensorflowModel,
} from './tensorflow-model.ts';
import { HISTORY_COLUMNS, historyRow, reportEvent } from './train.ts';
import type { TrainParams } from './training.ts';
import { checkTrainable, classesOf, countClasses, sourceOf } from './training-data.ts';

/** What `createModel` made. */
export interface EntryFacts {
  readonly layers: number;
  readonly weights: number;
  /** Whether pkg itself runs such a network; else predicting needs TensorFlow.js and the code. */
  readonly isRunnable: boolean;
}

/**
 * Trains on `inputs.examples` what the manifest's layers describe, or what `model.entry` of the archive
 * in `inputs.code` makes. Outputs `model`: `models/model.json`, `models/weights.bin`,
 * `models/history.csv` and, where the network is one that pkg runs, `models/clf.h5`; and `predictions`,
 * what the model says of the validation and test examples. The same on the same version of Node; on
 * others within a tolerance.
 * @throws PkgError `usage` where code would have to run and must not; `manifest` where it fails, leaves
 * its sandbox, takes more than its limits, or makes a model that does not fit the crops.
 */
export async function trainWithTensorflow(
  context: CodeContext,
  params: TrainParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const { runtime, store } = context;
  const examples = await openExamples(runtime, store, inputs['examples'] ?? []);
  try {
    checkTrainable(examples);
    const plan = planOf(params, examples, inputs['code']);
    return await withTensorflowModel(context, params, plan.subject, async (model) => {
      const fitted = await runTraining(context, model, plan, examples);
      const outputs = await predictSplits(context, model, plan, examples);
      const files = await modelFiles(context, await model.read(), plan, { model, fitted });
      return { model: files, predictions: await writeOutputs(store, outputs) };
    });
  } finally {
    await examples.close();
  }
}

/**
 * Makes a manifest's model and gives it up again: what is wrong with its code is known before a build.
 * @param subject the tree with the code's archive, and the classes that the manifest names.
 * @throws PkgError as `trainWithTensorflow` does.
 */
export async function checkEntry(
  context: CodeContext,
  params: TrainParams,
  subject: { readonly code: Tree; readonly classes: readonly string[] },
): Promise<EntryFacts> {
  const { classes, code } = subject;
  const { optimizer } = planFit(withoutWeights(params), params.seed, classes, []);
  const made = { classes, optimizer, network: undefined, code };
  return await withTensorflowModel(context, params, made, async (model) => {
    const files = filesOf(await model.read(), params, classes);
    return {
      layers: model.layers,
      weights: model.weights,
      isRunnable: findOwn(files) !== undefined,
    };
  });
}

/** Weights of classes are checked once it is known which of them have crops. */
function withoutWeights({ fit, ...params }: TrainParams): TrainParams {
  return { ...params, fit: { ...fit, classWeights: undefined } };
}

interface Plan extends Pick<TrainingPlan, 'fit' | 'classes' | 'optimizer'> {
  readonly params: TrainParams;
  readonly subject: ModelSubject;
  readonly shape: readonly [number, number, number];
}

function planOf(params: TrainParams, examples: Examples, code: Tree | undefined): Plan {
  const { input, seed } = params;
  invariant(input !== undefined, 'a model without a base has an input');
  const classes = classesOf(examples.rows);
  if (classes.length < 2) {
    throw new PkgError('manifest', 'the crops are of one class', {
      key: 'model',
      hint: 'A classifier needs crops of two classes or more.',
    });
  }
  const counts = countClasses(examples.rows, 'train', classes);
  const network =
    params.entry === undefined ? planTraining(params, seed, classes, counts).network : undefined;
  const { fit, optimizer } = planFit(params, seed, classes, counts);
  const subject = { classes, optimizer, network, code };
  return { params, fit, classes, optimizer, subject, shape: [input.heightPx, input.widthPx, 3] };
}

function source({ classes, shape }: Plan, examples: Examples, split: SplitName): ExampleSource {
  return sourceOf(examples, split, classes, shape);
}

type SplitName = Parameters<typeof sourceOf>[1];

async function runTraining(
  { runtime }: CodeContext,
  model: TensorflowModel,
  plan: Plan,
  examples: Examples,
): Promise<Fitted> {
  const data = {
    train: source(plan, examples, 'train'),
    validation: source(plan, examples, 'validation'),
  };
  const { epochs } = plan.fit;
  const progress = startProgress(runtime, 'train', epochs * data.train.count);
  const events = fitElsewhere(model, data, plan.fit);
  let next = await events.next();
  for (; next.done !== true; next = await events.next()) {
    reportEvent(runtime, progress, next.value, epochs);
    runtime.signal.throwIfAborted();
  }
  const { rows, epoch } = next.value;
  progress.finish(`${String(rows.length)} epochs, the weights are of epoch ${String(epoch)}`);
  return next.value;
}

async function predictSplits(
  { runtime }: CodeContext,
  model: TensorflowModel,
  plan: Plan,
  examples: Examples,
): Promise<Outputs> {
  const sources = PREDICTED_SPLITS.map((split) => source(plan, examples, split));
  const count = sources.reduce((sum, split) => sum + split.count, 0);
  const progress = startProgress(runtime, 'predict', count);
  const outputs: Float32Array[] = [];
  for (const split of sources) {
    outputs.push(
      await model.predict(split, (pieces) => {
        progress.advance({ pieces });
        runtime.signal.throwIfAborted();
      }),
    );
  }
  progress.finish(`${String(count)} examples`);
  const [validation, test] = outputs;
  invariant(validation !== undefined && test !== undefined, 'two splits are predicted');
  return { validation, test };
}

async function modelFiles(
  { runtime, store }: CodeContext,
  read: ReadModel,
  { params, classes, fit, optimizer }: Plan,
  { model, fitted }: { readonly model: TensorflowModel; readonly fitted: Fitted },
): Promise<Tree> {
  const training = { optimizer, learningRate: fit.learningRate, loss: model.loss };
  const files = filesOf(read, params, classes, training);
  const own = findOwn(files);
  if (own === undefined) {
    const message = 'models/clf.h5 is left out: the network has layers that pkg does not know';
    runtime.report({ kind: 'noted', message });
  }
  const contents: readonly (readonly [string, string | Uint8Array])[] = [
    ['model.json', files.modelJson],
    ['weights.bin', files.weightsBin],
    ['history.csv', formatCsv(HISTORY_COLUMNS, fitted.rows.map(historyRow))],
    ...(own === undefined ? [] : ([['clf.h5', await formatKeras({ ...own, training })]] as const)),
  ];
  const entries = [];
  for (const [name, content] of contents) {
    entries.push({ path: `models/${name}`, ...(await store.putBytes(content)) });
  }
  return treeOf(entries);
}

/** `model.json` and `weights.bin` of a model that was read out of its sandbox. */
function filesOf(
  { topology, weights, values }: ReadModel,
  { input, entry }: TrainParams,
  classes: readonly string[],
  training?: Model['training'],
): TfjsFiles {
  invariant(input !== undefined, 'a model without a base has an input');
  if (!values.every(Number.isFinite)) {
    const message = `${entry ?? 'TensorFlow.js'} leaves a weight that is no finite number`;
    throw new PkgError('manifest', message, {
      key: 'model',
      hint: 'Lower the learning rate, or look at its own layers.',
    });
  }
  let at = 0;
  const parts = weights.map(({ shape }) => {
    const start = at;
    at += sizeOf(shape);
    return values.subarray(start, at);
  });
  return formatLayersModel({
    ...{ topology, weights, values: parts, classes, threshold: 0.5 },
    input: { ...input, channels: 'RGB', rescale: 1 / 255, resize: RESIZE },
    ...(training === undefined ? {} : { training }),
  });
}

/** The model as one of pkg's own; undefined where it has layers that pkg does not run. */
function findOwn({ modelJson, weightsBin }: TfjsFiles): Model | undefined {
  try {
    return parseTfjs(modelJson, weightsBin, 'models/model.json');
  } catch (error) {
    if (error instanceof PkgError && (error.code === 'usage' || error.code === 'integrity')) {
      return undefined;
    }
    throw error;
  }
}
