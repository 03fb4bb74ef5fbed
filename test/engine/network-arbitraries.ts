/** Random small networks that fit together, of every layer the engine has. */
import fc from 'fast-check';
import type { Activation, LayerSpec } from '../../src/classifier/classifier.ts';
import { planNetwork } from '../../src/classifier/classifier.ts';

export interface Drawn {
  readonly inputShape: readonly [number, number, number];
  readonly specs: readonly LayerSpec[];
}

const upTo = (max: number) => fc.integer({ min: 1, max });
const ACTIVATIONS: readonly Activation[] = ['linear', 'relu', 'sigmoid', 'softmax', 'tanh'];
const function_ = fc.constantFrom(...ACTIVATIONS);
const padding = fc.constantFrom('valid' as const, 'same' as const);

const convolution: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constant('conv2d' as const),
  filters: upTo(13),
  kernelSize: fc.constantFrom(1, 3, 3, 5),
  strides: fc.constantFrom(1, 1, 2),
  padding,
  activation: fc.oneof(fc.constant('relu' as const), function_),
  useBias: fc.boolean(),
});

const fused: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constant('maxPooling2d' as const),
  poolSize: fc.constant(2),
  strides: fc.constant(2),
  padding,
});

const pool: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constantFrom('maxPooling2d' as const, 'averagePooling2d' as const),
  poolSize: upTo(3),
  strides: upTo(3),
  padding,
});

const anyPlace: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({
    kind: fc.constant('dropout' as const),
    rate: fc.constantFrom(0, 0.2, 0.5),
  }),
  fc.record({
    kind: fc.constant('batchNormalization' as const),
    momentum: fc.constantFrom(0.5, 0.99),
    epsilon: fc.constantFrom(0.05, 0.1),
  }),
  fc.record({ kind: fc.constant('activation' as const), function: function_ }),
);

const dense: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constant('dense' as const),
  units: upTo(20),
  activation: function_,
  useBias: fc.boolean(),
});

const end: fc.Arbitrary<readonly LayerSpec[]> = fc
  .record({ units: upTo(5), last: fc.constantFrom('sigmoid', 'softmax'), apart: fc.boolean() })
  .map(({ units, last, apart }) => {
    const activation = last === 'sigmoid' ? 'sigmoid' : 'softmax';
    const layer = { kind: 'dense', units: last === 'softmax' ? units + 1 : units } as const;
    if (!apart) return [{ ...layer, activation, useBias: true }];
    const linear = { ...layer, activation: 'linear', useBias: false } as const;
    return [linear, { kind: 'activation', function: activation }];
  });

function fits(inputShape: Drawn['inputShape'], specs: readonly LayerSpec[]): boolean {
  try {
    planNetwork(inputShape, specs);
    return true;
  } catch {
    return false;
  }
}

/** Each normalization may make rounding errors ten times as large. */
function isNotSecondNormalization(spec: LayerSpec, at: number, all: readonly LayerSpec[]): boolean {
  const { kind } = spec;
  return kind !== 'batchNormalization' || all.findIndex((one) => one.kind === kind) === at;
}

/** Networks; layers that do not fit into what the ones before leave are left out. */
export const anyNetwork: fc.Arbitrary<Drawn> = fc
  .record({
    inputShape: fc.tuple(upTo(14), upTo(14), fc.constantFrom(1, 3, 3, 3, 4, 9)),
    maps: fc.array(fc.oneof({ arbitrary: convolution, weight: 3 }, fused, pool, anyPlace), {
      maxLength: 5,
    }),
    toVector: fc.constantFrom<LayerSpec>({ kind: 'flatten' }, { kind: 'globalAveragePooling2d' }),
    vectors: fc.array(fc.oneof(dense, anyPlace), { maxLength: 3 }),
    end,
  })
  .map(({ inputShape, maps, toVector, vectors, end: last }) => {
    const specs: LayerSpec[] = [];
    for (const spec of maps) if (fits(inputShape, [...specs, spec])) specs.push(spec);
    const whole = [...specs, toVector, ...vectors, ...last];
    return { inputShape, specs: whole.filter(isNotSecondNormalization) };
  });
