/** How far the engine is from TensorFlow.js: on predictions, the loss, and every weight's gradient. */
import { type LayerSpec, type Weights, weightSpecs } from '../../src/classifier/classifier.ts';
import { lossOf, SEED, type Settings, sample } from './networks.ts';
import { type Computed, computeByTfjs } from './real-tfjs.ts';

export interface Apart {
  /** Of which number: `predictions`, `loss`, `conv2d_1 kernel`. */
  readonly what: string;
  /** Of gradients, relative to the weight's largest. */
  readonly error: number;
}

/** The most that two computations with 32-bit floats may differ. */
export const CLOSE = 1e-5;

/** Gradients below this share of the network's largest are held to the share: they may be truly 0. */
const FLOOR = 0.02;

/** Draws of weights and examples. */
const DRAWS = 3;

function worstOf(list: readonly Apart[]): Apart {
  return list.reduce((worst, one) => (one.error <= worst.error ? worst : one));
}

/** The largest difference; of NaN, NaN. */
function farthest(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new Error('both have as many numbers');
  return a.reduce((most, value, index) => {
    const apart = Math.abs(value - (b[index] ?? NaN));
    return apart <= most ? most : apart;
  }, 0);
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

interface Setting extends Settings {
  /** Examples in the batch; as many as it may have, unless told. */
  readonly count?: number;
  readonly frozen?: number;
}

/**
 * The worst difference between the engine and TensorFlow.js, every buffer being NaN before. A value may
 * lie on the edge of a ReLU, or between two equals of a pool, where rounding decides the gradient; so
 * what is far apart is drawn again, since a fault would be there in each draw.
 */
export async function apartFromTfjs(
  inputShape: readonly [number, number, number],
  specs: readonly LayerSpec[],
  setting: Setting = {},
): Promise<Apart> {
  let best: Apart | undefined;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const worst = await apartInDraw(inputShape, specs, { ...setting, draw });
    if (worst.error < CLOSE) return worst;
    if (best === undefined || !(worst.error >= best.error)) best = worst;
  }
  return best ?? { what: 'nothing', error: NaN };
}

async function apartInDraw(
  inputShape: readonly [number, number, number],
  specs: readonly LayerSpec[],
  setting: Setting & { readonly draw: number },
): Promise<Apart> {
  const { network, engine, weights, batch } = await sample(inputShape, specs, setting);
  try {
    const predicted = engine.predict(batch);
    engine.poison();
    const trained = engine.train(batch);
    const gradients = engine.readGradients();
    const real = await computeByTfjs(network, weights, batch, lossOf(network), SEED);
    const loss = Math.abs(trained.lossSum / batch.count - real.loss);
    return worstOf([
      { what: 'predictions', error: farthest(real.probabilities, predicted.probabilities) },
      { what: 'loss', error: loss / Math.max(1, real.loss) },
      ...gradientsApart(
        weightSpecs(network).map(({ layer, name }) => `${layer} ${name}`),
        real,
        gradients,
      ),
    ]);
  } finally {
    await engine.close();
  }
}

function gradientsApart(names: readonly string[], real: Computed, gradients: Weights): Apart[] {
  const overall = Math.max(...real.gradients.map((one) => (one ? largestOf(one) : 0)));
  return real.gradients.flatMap((one, index) => {
    if (one === undefined) return [];
    const scale = Math.max(largestOf(one), FLOOR * overall, Number.MIN_VALUE);
    const own = gradients[index] ?? new Float32Array();
    return [{ what: names[index] ?? '', error: farthest(one, own) / scale }];
  });
}
