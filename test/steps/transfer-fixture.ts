/** A base model and crops to train on it, made from seeded pictures, as the steps take them. */
import { modelSchema } from '../../src/manifest/model.ts';
import type { Model } from '../../src/models/models.ts';
import { formatTfjs } from '../../src/models/tfjs.ts';
import { formatCropsTable } from '../../src/steps/crops-table.ts';
import { makeExamples } from '../../src/steps/examples.ts';
import type { StepInputs } from '../../src/steps/step.ts';
import type { TrainParams } from '../../src/steps/training.ts';
import type { Store } from '../../src/store/store.ts';
import { type Tree, type TreeEntry, treeOf } from '../../src/store/tree.ts';
import { conv, dense, dropout, FLATTEN, maxPool, normalization } from '../engine/layers.ts';
import { sampleModel } from '../models/sample-models.ts';
import { open, somePixels } from '../support/pictures.ts';
import { testRuntime } from '../support/runtime.ts';
import { cropsRow } from '../support/summaries.ts';

export const SEED = 5;

/** Tells three classes of pictures, 20 pixels wide and 14 high, apart; its first six layers are features. */
export const BASE: Model = sampleModel(
  [
    conv(6),
    maxPool(),
    conv(8, { activation: 'linear' }),
    normalization(),
    dropout(0.25),
    FLATTEN,
    dense(7),
    dense(3, 'softmax'),
  ],
  [14, 20, 3],
);

/** Layers that are kept of the base unless a manifest says otherwise, and weights in them. */
export const FEATURES = { layers: 6, weights: 8 };

export const BASE_PACKAGE = `quilt/base@${'ab'.repeat(32)}`;

/** Parameters of a training on the base, with a head for two classes. */
export function transferParams(
  base: object = {},
  parts: Readonly<Record<string, unknown>> = {},
): TrainParams {
  const model = modelSchema.parse({
    base: { package: BASE_PACKAGE, ...base },
    layers: [{ dense: { units: 1, activation: 'sigmoid' } }],
    augment: { rotationDegrees: 10 },
    fit: { batchSize: 4, epochs: 3, optimizer: 'adam' },
    ...parts,
  });
  return { ...model, seed: SEED };
}

/** A model as a step's input of two files. */
export async function baseTree(store: Store, model: Model = BASE): Promise<Tree> {
  const { modelJson, weightsBin } = formatTfjs(model);
  return treeOf([
    { path: 'model.json', ...(await store.putBytes(modelJson)) },
    { path: 'weights.bin', ...(await store.putBytes(weightsBin)) },
  ]);
}

/** Crops of two classes: the train step's inputs, and the table they were made of. */
export async function transferInputs(
  store: Store,
): Promise<StepInputs & { readonly crops: Tree; readonly table: Tree }> {
  const crops: TreeEntry[] = [];
  const rows = [];
  for (let index = 0; index < 20; index += 1) {
    const Class = index % 2 === 0 ? 'Lion' : 'Tiger';
    const path = `images_cropped/${Class}/${String(index).padStart(2, '0')}.png`;
    const bytes = await open(somePixels(26, 22, index))
      .png()
      .toBuffer();
    const entry = { path, ...(await store.putBytes(bytes)) };
    crops.push(entry);
    const Split = index % 5 === 4 ? 'validation' : 'train';
    const size = { WidthPx: '26', HeightPx: '22', Digest: entry.digest };
    rows.push(cropsRow(`image${String(index)}`, { LogicalKey: path, Class, Split, ...size }));
  }
  const csv = await store.putBytes(formatCropsTable(rows));
  const inputs = { crops: treeOf(crops), table: [{ path: 'crops.csv', ...csv }] };
  const size = { widthPx: BASE.input.widthPx, heightPx: BASE.input.heightPx };
  const { examples = [] } = await makeExamples(
    testRuntime({ concurrency: 2 }),
    store,
    size,
    inputs,
  );
  return { ...inputs, examples, base: await baseTree(store) };
}
