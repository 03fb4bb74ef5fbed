/** Running one step, whichever it is. */
import { PkgError } from '../runtime/errors.ts';
import { type Descriptor, streamOf } from '../store/digest.ts';
import { cropBoxes } from './crop.ts';
import { openDataset } from './dataset.ts';
import { evaluateClassifier } from './evaluate.ts';
import { makeExamples } from './examples.ts';
import { excludeImages } from './exclude.ts';
import { type FetchContext, fetchImages } from './fetch.ts';
import {
  type ByteSource,
  driftedPhotos,
  exceptionDrift,
  type FetchExceptions,
  imagesTableOf,
  readImagesTable,
  replayFetch,
} from './fetch-record.ts';
import { type QuerySources, queryBoxes } from './query.ts';
import { splitExamples } from './split.ts';
import type { StepInputs, StepOutputs, StepSpec } from './step.ts';
import { summarizeDataset } from './summarize.ts';
import { trainWithTensorflow } from './tensorflow-training.ts';
import { trainClassifier } from './train.ts';

/** What steps are given beside their inputs; nothing of it decides a byte of their outputs. */
export interface StepContext extends FetchContext {
  /** The pinned source tables, fetched if need be. */
  readonly openSources: () => Promise<QuerySources>;
  /** Fails where a local source table is no longer what is pinned. */
  readonly checkSources: () => Promise<void>;
  /** Brings the data package that is built upon into the store. */
  readonly openData: () => Promise<void>;
  /** Whether code that comes with a manifest may run. */
  readonly code: 'refuse' | 'run';
  /** The commit that code is of, for messages. */
  readonly commit?: string;
  /** What the network answered before, where the lockfile knows. */
  readonly record: FetchRecord | undefined;
  /** Where recorded bytes may be found besides the store. */
  readonly elsewhere: ByteSource;
}

/** What the network answered, as a lockfile has it. */
interface FetchRecord {
  readonly table: Descriptor;
  /** How many images the table has; a selection may be a part of them. */
  readonly images: number;
  readonly exceptions: FetchExceptions;
}

/** Runs a step on its input trees. */
export async function runStep(
  context: StepContext,
  spec: StepSpec,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const { runtime, store } = context;
  switch (spec.name) {
    case 'query': {
      const outputs = await queryBoxes(runtime, store, spec.params, await context.openSources());
      // Local tables are read where they are, so they might have been edited meanwhile.
      await context.checkSources();
      return outputs;
    }
    case 'exclude':
      return await excludeImages(runtime, store, spec.params, inputs);
    case 'dataset':
      await context.openData();
      return openDataset(inputs);
    case 'fetch':
      return await fetchOrReplay(context, spec.params, inputs);
    case 'crop':
      return await cropBoxes(runtime, store, spec.params, inputs);
    case 'split':
      return await splitExamples(runtime, store, spec.params, inputs);
    case 'examples':
      return await makeExamples(runtime, store, spec.params, inputs);
    case 'train':
      return spec.params.engine === 'tensorflow'
        ? await trainWithTensorflow(context, spec.params, inputs)
        : await trainClassifier(runtime, store, spec.params, inputs);
    case 'evaluate':
      return await evaluateClassifier(runtime, store, inputs);
    case 'summarize':
      return await summarizeDataset(runtime, store, spec.params, inputs);
  }
}

/**
 * Without a record, asks the network. With one, takes the recorded answers; where the recorded table
 * itself is nowhere to be had, the network must give the same answers again; of a part of the images, which
 * has another table, the same photos.
 */
async function fetchOrReplay(
  context: StepContext,
  params: Extract<StepSpec, { name: 'fetch' }>['params'],
  inputs: StepInputs,
): Promise<StepOutputs> {
  const { record, store, elsewhere } = context;
  if (record === undefined) return await fetchImages(context, params, inputs);
  const text = await findTable(context, record.table, elsewhere);
  if (text !== undefined) {
    const rows = await readImagesTable(streamOf(text));
    return await replayFetch(context, params, inputs, rows, elsewhere);
  }
  const outputs = await fetchImages(context, params, inputs);
  const table = imagesTableOf(outputs);
  if (table.digest === record.table.digest) return outputs;
  const rows = await readImagesTable(streamOf(await store.read(table.digest)));
  const drift = exceptionDrift(record.exceptions, rows);
  if (drift.length === 0 && rows.length < record.images) return outputs;
  throw driftedPhotos(drift.length > 0 ? drift : ['addresses or HTTP statuses changed, no photo']);
}

async function findTable(
  { store }: StepContext,
  table: Descriptor,
  elsewhere: ByteSource,
): Promise<Buffer | undefined> {
  if (!(await store.has(table))) {
    const bytes = await elsewhere(table);
    if (bytes === undefined) return undefined;
    const found = await store.put(bytes);
    if (found.digest !== table.digest) {
      throw new PkgError('integrity', `the recorded images.csv came with digest ${found.digest}`, {
        hint: `Expected ${table.digest}; the registry is damaged.`,
      });
    }
  }
  return await store.read(table.digest);
}
