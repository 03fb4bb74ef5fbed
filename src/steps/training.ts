/** A training before its first update: planned for its examples, with an engine and data at hand. */
import type { Engine } from '../classifier/engine.ts';
import type { FitData } from '../classifier/fit.ts';
import { initialWeights } from '../classifier/initial-weights.ts';
import { createEngine } from '../engine/engine.ts';
import type { ModelParams } from '../manifest/model.ts';
import type { Model } from '../models/models.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Examples } from './example-reader.ts';
import { planTraining, type TrainingPlan } from './network.ts';
import { checkTrainable, classesOf, countClasses, sourceOf } from './training-data.ts';

export type TrainParams = ModelParams & { readonly seed: number };

/** Threads beyond the tasks of a phase would only wait. */
export const MAX_THREADS = 16;

/** The training that a manifest asks for on these examples, on its base where it has one. */
export function planOf(params: TrainParams, examples: Examples, base?: Model): TrainingPlan {
  checkTrainable(examples);
  const classes = classesOf(examples.rows);
  const counts = countClasses(examples.rows, 'train', classes);
  return planTraining(params, params.seed, classes, counts, base);
}

/** An engine with the weights a training begins with. */
export async function openTraining(runtime: Runtime, plan: TrainingPlan): Promise<Engine> {
  const { network, kept, fit: settings, loss, optimizer } = plan;
  const engine = await createEngine({
    network,
    batchSize: settings.batchSize,
    threads: Math.min(runtime.concurrency, MAX_THREADS),
    seed: settings.seed,
    training: { loss, optimizer, fill: settings.augment?.fill },
  });
  engine.writeWeights(initialWeights(network, settings.seed, kept));
  return engine;
}

/** The examples of a training, by what they are for. */
export function dataOf({ network, classes }: TrainingPlan, examples: Examples): FitData {
  return {
    train: sourceOf(examples, 'train', classes, network.inputShape),
    validation: sourceOf(examples, 'validation', classes, network.inputShape),
  };
}
