/** Any model is read back from TensorFlow.js' files as it was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerSpec } from '../../src/classifier/classifier.ts';
import type { Model } from '../../src/models/models.ts';
import { formatTfjs, parseTfjs } from '../../src/models/tfjs.ts';
import { sampleModel } from './sample-models.ts';

const upTo = (max: number) => fc.integer({ min: 1, max });
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const activation = fc.constantFrom('linear', 'relu', 'sigmoid', 'softmax', 'tanh');

/** Windows under `same` fit into any picture. */
const sliding = { strides: upTo(3), padding: fc.constant('same' as const) };

const mapLayer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({
    kind: fc.constant('conv2d' as const),
    filters: upTo(4),
    kernelSize: upTo(4),
    activation,
    useBias: fc.boolean(),
    ...sliding,
  }),
  fc.record({
    kind: fc.constantFrom('maxPooling2d', 'averagePooling2d'),
    poolSize: upTo(4),
    ...sliding,
  }),
);

const anyPlaceLayer: fc.Arbitrary<LayerSpec> = fc.oneof(
  fc.record({ kind: fc.constant('dropout' as const), rate: share }),
  fc.record({
    kind: fc.constant('batchNormalization' as const),
    momentum: share,
    epsilon: fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('activation' as const), function: activation }),
);

const vectorLayer: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constant('dense' as const),
  units: upTo(5),
  activation,
  useBias: fc.boolean(),
});

const toVector: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constantFrom('flatten', 'globalAveragePooling2d'),
});

const specs = fc
  .tuple(
    fc.array(fc.oneof(mapLayer, anyPlaceLayer), { maxLength: 5 }),
    toVector,
    fc.array(fc.oneof(vectorLayer, anyPlaceLayer), { maxLength: 5 }),
  )
  .map(([maps, between, vectors]) => [...maps, between, ...vectors]);

const anyModel: fc.Arbitrary<Model> = fc
  .record({ specs, height: upTo(9), width: upTo(9) })
  .map(({ specs, height, width }) => sampleModel(specs, [height, width, 3]))
  .chain((model) =>
    fc
      .record({
        classes: fc.array(fc.string({ unit: 'binary' }), {
          minLength: model.classes.length,
          maxLength: model.classes.length,
        }),
        weights: fc.tuple(
          ...model.weights.map(({ length }) =>
            fc.float32Array({
              minLength: length,
              maxLength: length,
              noNaN: true,
              noDefaultInfinity: true,
            }),
          ),
        ),
        rescale: fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
        resize: fc.string({ unit: 'grapheme' }),
        threshold: share,
      })
      .map(({ rescale, resize, ...rest }) => ({
        ...model,
        ...rest,
        input: { ...model.input, rescale, resize },
      })),
  );

describe('a model in the format of TensorFlow.js', () => {
  it('is read back as it was, to the bit', () => {
    fc.assert(
      fc.property(anyModel, (model) => {
        const { modelJson, weightsBin } = formatTfjs(model);
        expect(parseTfjs(modelJson, weightsBin, 'model.json')).toEqual(model);
      }),
    );
  });
});
