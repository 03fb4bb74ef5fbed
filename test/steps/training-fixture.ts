/** A tiny data set that a network can learn: two or three colours, with noise. */
import { join } from 'node:path';
import { comparePaths } from '../../src/git/tree-path.ts';
import { writeTar } from '../../src/git/write-tar.ts';
import { modelSchema } from '../../src/manifest/model.ts';
import { formatCsv } from '../../src/openimages/csv.ts';
import type { PkgError } from '../../src/runtime/errors.ts';
import { EXAMPLES_COLUMNS } from '../../src/steps/examples.ts';
import type { CodeContext } from '../../src/steps/tensorflow-model.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type Tree, treeOf } from '../../src/store/tree.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

export const INPUT = { widthPx: 6, heightPx: 8 };

const EXAMPLE_BYTES = INPUT.widthPx * INPUT.heightPx * 3;

/** Every fourth example is for validation, every eighth for the test. */
const SPLITS = ['train', 'train', 'train', 'validation', 'train', 'train', 'train', 'test'];

/** A step's input `examples`: each class has a channel that is brighter. */
export async function colouredExamples(
  store: Store,
  classes: readonly string[],
  count: number,
): Promise<Tree> {
  const rows = [];
  const pixels = new Uint8Array(count * EXAMPLE_BYTES);
  let state = 12_345;
  const noise = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % 80;
  };
  for (let example = 0; example < count; example++) {
    const label = Math.floor(example / SPLITS.length + example) % classes.length;
    const name = classes[label] ?? '';
    rows.push({
      ...{ LogicalKey: `images_cropped/${name}/${String(example)}.jpg`, ImageID: String(example) },
      ...{ Class: name, Split: SPLITS[example % SPLITS.length] ?? '' },
    });
    for (let at = 0; at < EXAMPLE_BYTES; at++) {
      pixels[example * EXAMPLE_BYTES + at] = 60 + noise() + (at % 3 === label ? 90 : 0);
    }
  }
  const csv = await store.putBytes(formatCsv(EXAMPLES_COLUMNS, rows));
  const shard = await store.putBytes(pixels);
  return treeOf([
    { path: 'examples.csv', ...csv },
    { path: 'shard-00000.bin', ...shard },
  ]);
}

export const FIT = { batchSize: 8, epochs: 6, optimizer: { adam: { learningRate: 0.02 } } };

/** What a manifest says, with all defaults. */
export function paramsOf(model: object, seed = 7) {
  const parsed = modelSchema.parse({ engine: 'tensorflow', input: INPUT, fit: FIT, ...model });
  return { ...parsed, seed };
}

/** A dense network as CommonJS, as one writes it who never heard of pkg. */
export const DENSE = `
exports.createModel = (tf, { inputShape, classes }) =>
  tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape }),
      tf.layers.dense({ units: classes.length, activation: 'softmax' }),
    ],
  });
`;

/** A functional model with a layer of its own, a second file, parameters and an asynchronous step. */
export const CUSTOM: Readonly<Record<string, string>> = {
  'net/model.mjs': `
import { readFile } from 'node:fs/promises';
import { scaleLayer } from './scale.mjs';

export async function createModel(tf, { inputShape, classes, params }) {
  const { units } = JSON.parse(await readFile(new URL('../settings.json', import.meta.url), 'utf8'));
  const input = tf.input({ shape: inputShape });
  const scaled = scaleLayer(tf, params.factor).apply(tf.layers.flatten().apply(input));
  const hidden = tf.layers.dense({ units, activation: 'relu' }).apply(scaled);
  const both = tf.layers.concatenate().apply([hidden, scaled]);
  const outputs = tf.layers.dense({ units: classes.length, activation: 'softmax' }).apply(both);
  const model = tf.model({ inputs: input, outputs });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  console.log('layers', model.layers.length);
  return model;
}
`,
  'net/scale.mjs': `
export function scaleLayer(tf, factor) {
  class Scale extends tf.layers.Layer {
    static className = 'Scale';
    build(inputShape) {
      this.factor = this.addWeight('factor', [1], 'float32', tf.initializers.constant({ value: factor }));
      super.build(inputShape);
    }
    call(inputs) {
      return tf.tidy(() => tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, this.factor.read()));
    }
    computeOutputShape(inputShape) { return inputShape; }
  }
  tf.serialization.registerClass(Scale);
  return new Scale({});
}
`,
  'settings.json': '{ "units": 5 }',
};

export interface Fixture {
  readonly store: Store;
  readonly context: CodeContext;
  readonly runtime: ReturnType<typeof testRuntime>;
}

export async function open(code: 'refuse' | 'run' = 'run'): Promise<Fixture> {
  const runtime = testRuntime();
  const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  return { store, runtime, context: { runtime, store, code, commit: 'c0ffee'.repeat(6) } };
}

export async function codeTree(
  store: Store,
  files: Readonly<Record<string, string>>,
): Promise<Tree> {
  const entries = Object.entries(files)
    .sort(([a], [b]) => comparePaths(a, b))
    .map(([path, text]) => ({ path, mode: 0o644 as const, bytes: Buffer.from(text) }));
  return [{ path: 'code.tar', ...(await store.put(writeTar(entries))) }];
}

export async function failureOf(work: Promise<unknown>): Promise<PkgError> {
  return await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as PkgError,
  );
}
