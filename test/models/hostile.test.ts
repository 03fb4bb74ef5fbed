/** Model files made to break the reader: each is refused with a code, soon, and the file's name. */
import { describe, expect, it } from 'vitest';
import { formatTfjs, parseTfjs } from '../../src/models/tfjs.ts';
import { type ErrorCode, PkgError } from '../../src/runtime/errors.ts';
import { ARTICLE_MODEL, SMALL } from './sample-models.ts';

const { modelJson, weightsBin } = formatTfjs(SMALL);

/** What a file is refused with. */
function refusal(json: string, weights: Uint8Array = weightsBin): PkgError {
  try {
    parseTfjs(json, weights, 'models/model.json');
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('the file was read');
}

/** The sample's file with one text of it replaced by another, once. */
function changed(from: string, to: string): string {
  const json = JSON.stringify(JSON.parse(modelJson));
  if (!json.includes(from)) throw new Error(`the sample has no ${from}`);
  return json.replace(from, to);
}

/** The sample's file with only the first of its layers. */
function withLayers(count: number): string {
  const whole = JSON.parse(modelJson) as { modelTopology: { config: { layers: unknown[] } } };
  whole.modelTopology.config.layers.splice(count);
  return JSON.stringify(whole);
}

const BROKEN: Readonly<Record<string, readonly [string, RegExp]>> = {
  'an empty file': ['', /it is no JSON/],
  'half a file': [modelJson.slice(0, modelJson.length / 2), /it is no JSON/],
  'a list': ['[]', /it is no part/],
  nothing: ['null', /it is no part/],
  'brackets in brackets': ['['.repeat(100_000), /it is no JSON/],
  'brackets that close': [`${'['.repeat(1e6)}${']'.repeat(1e6)}`, /it is no/],
  'seventeen megabytes': [`${modelJson}${' '.repeat(17e6)}`, /longer than 16000000 characters/],
  'a graph model': [changed('"layers-model"', '"graph-model"'), /format is no part/],
  'no network': [changed('"modelTopology"', '"other"'), /modelTopology is no part/],
  'no list of layers': [changed('"layers":', '"other":'), /no list of layers/],
  'no network in it': [changed('"modelTopology":{', '"modelTopology":7,"x":{'), /holds no network/],
  'no layers': [withLayers(0), /has no layers/],
  'an input and no layers': [withLayers(1), /has no layers/],
  'a million layers': [
    changed('"layers":[', `"layers":[${'{},'.repeat(1e6)}`),
    /more than 1001 layers/,
  ],
  'a layer that is none': [changed('"layers":[', '"layers":[7,'), /layer 0 has no class/],
  'a layer without a name': [changed('"name":"conv2d",', ''), /layer 1 has no class or no name/],
  'two layers of one name': [changed('"conv2d_1"', '"conv2d"'), /the same name/],
  'more features than memory': [
    changed('"filters":6,"kernel_size":[3,3]', '"filters":65536,"kernel_size":[3,3]').replace(
      '[null,21,16,3]',
      '[null,8192,8192,3]',
    ),
    /the layer conv2d gives more than 268435456 numbers/,
  ],
  'a window larger than the picture': [
    changed(
      '"kernel_size":[3,3],"strides":[2,2],"padding":"same"',
      '"kernel_size":[99,99],"strides":[2,2],"padding":"valid"',
    ),
    /model\.layers\.0: a window of 99 does not fit/,
  ],
  'no weights': [changed('"weightsManifest"', '"other"'), /weightsManifest is no part/],
  'a weight twice': [changed('"conv2d/bias"', '"conv2d/kernel"'), /two weights "conv2d\/kernel"/],
  'a weight of another name': [changed('"conv2d/bias"', '"x/bias"'), /lacks the weight "conv2d\/b/],
  'a weight named __proto__': [changed('"conv2d/bias"', '"__proto__"'), /lacks the weight/],
  'a weight too many': [
    changed('"weights":[{', '"weights":[{"name":"x","shape":[0],"dtype":"float32"},{'),
    /weight "x" belongs to no layer/,
  ],
  'a weight of another shape': [
    changed('"shape":[3,3,3,6]', '"shape":[3,3,6,3]'),
    /"conv2d\/kernel" is not float32 of 3 x 3 x 3 x 6/,
  ],
  'a weight of another kind': [
    changed('"shape":[6],"dtype":"float32"', '"shape":[6],"dtype":"int32"'),
    /"conv2d\/bias" is not float32 of 6/,
  ],
  'a weight of half the bytes': [
    changed('"shape":[6],"dtype":"float32"', '"shape":[6],"dtype":"float16"'),
    /quantized, or no float32/,
  ],
  'a quantized weight': [
    changed('"shape":[6],', '"shape":[6],"quantization":{"dtype":"uint8"},'),
    /quantized, or no float32/,
  ],
  'a shape below zero': [changed('"shape":[6]', '"shape":[-6]'), /shape\.0 is no part/],
  'a shape without end': [changed('"shape":[6]', '"shape":[9007199254740991,8]'), /describes \d+/],
  'a shape that is no number': [changed('"shape":[6]', '"shape":[1e999]'), /shape\.0 is no part/],
  'no facts': [changed('"userDefinedMetadata"', '"other"'), /userDefinedMetadata is no part/],
  'no classes': [changed('"classes"', '"other"'), /userDefinedMetadata\.classes is no part/],
  'a class too few': [changed('"Class 0",', ''), /3 classes, but its network tells 4 apart/],
  'an input of another size': [changed('"widthPx":16', '"widthPx":17'), /another size/],
  'pixels in another order': [changed('"RGB"', '"BGR"'), /input\.channels is no part/],
  'a threshold above one': [changed('"threshold":0.5', '"threshold":2'), /threshold is no part/],
};

describe('a broken model.json', () => {
  it.each(Object.entries(BROKEN))('is refused: %s', (_, [json, message]) => {
    const error = refusal(json);
    expect(error.code).toBe('integrity' satisfies ErrorCode);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^models\/model\.json: /);
    expect(error.message.length).toBeLessThan(300);
    expect(error.hint).toBeDefined();
  });

  it('says nothing with control characters', () => {
    const { message } = refusal(changed('"conv2d/bias"', '"\\u001b[31mred\\u0000"'));
    expect(message).not.toMatch(/\p{Cc}/u);
  });
});

describe('weights.bin', () => {
  it.each([
    ['is empty', new Uint8Array()],
    ['lacks a byte', weightsBin.slice(1)],
    ['has a byte too many', Buffer.concat([weightsBin, new Uint8Array(1)])],
    ['is of another model', formatTfjs(ARTICLE_MODEL).weightsBin],
  ])('is refused where it %s', (_, weights) => {
    const { code, message } = refusal(modelJson, weights);
    expect(code).toBe('integrity');
    expect(message).toMatch(/describes \d+ bytes of weights, but there are \d+$/);
  });

  it.each([NaN, Infinity, -Infinity])('is refused where it holds %s', (value) => {
    const weights = weightsBin.slice();
    new DataView(weights.buffer).setFloat32(weights.length - 4, value, true);
    const { code, message } = refusal(modelJson, weights);
    expect(code).toBe('integrity');
    expect(message).toMatch(/weight "dense\/bias" holds what is no finite number/);
  });
});

const FOREIGN: Readonly<Record<string, readonly [string, RegExp]>> = {
  'another kind of network': [
    changed('"Sequential"', '"Functional"'),
    /does not run a network that is a "Functional"/,
  ],
  'an unknown layer': [
    changed('"GlobalAveragePooling2D"', '"Lambda"'),
    /the layer "global_average_pooling2d", which is a "Lambda"/,
  ],
  'a layer named after an object': [
    changed('"GlobalAveragePooling2D"', '"constructor"'),
    /which is a "constructor"/,
  ],
  'an input in the middle': [
    changed('"GlobalAveragePooling2D"', '"InputLayer"'),
    /which is a "InputLayer"/,
  ],
  'a window that is no square': [
    changed('"kernel_size":[3,3]', '"kernel_size":[3,4]'),
    /the layer "conv2d" with its "kernel_size"/,
  ],
  'no filters': [changed('"filters":6', '"filters":0'), /the layer "conv2d" with its "filters"/],
  'half a filter': [changed('"filters":6', '"filters":6.5'), /with its "filters"/],
  dilation: [changed('"dilation_rate":[1,1]', '"dilation_rate":[2,2]'), /its "dilation_rate"/],
  'channels first': [changed('channels_last', 'channels_first'), /"conv2d" with its "data_format"/],
  'another activation': [changed('"activation":"tanh"', '"activation":"gelu"'), /"activation"/],
  'another axis': [changed('"axis":-1', '"axis":1'), /"batch_normalization" with its "axis"/],
  'half precision': [
    changed(
      '"name":"conv2d","trainable":true,"dtype":"float32"',
      '"name":"conv2d","dtype":"float16"',
    ),
    /"conv2d" with its "dtype"/,
  ],
  'an unknown setting': [
    changed('"filters":6', '"filters":6,"gain":2'),
    /"conv2d" with its "gain"/,
  ],
  'a setting named __proto__': [
    changed('"filters":6', '"filters":6,"__proto__":{"x":1}'),
    /"conv2d" with its "__proto__"/,
  ],
  'a gray picture': [changed('[null,21,16,3]', '[null,21,16,1]'), /input is no RGB picture/],
  'any picture': [changed('[null,21,16,3]', '[null,null,null,3]'), /input is no RGB picture/],
  'a fixed batch': [changed('[null,21,16,3]', '[32,21,16,3]'), /input is no RGB picture/],
};

describe('a model that pkg does not run', () => {
  it.each(Object.entries(FOREIGN))('is refused with who may run it: %s', (_, [json, message]) => {
    const error = refusal(json);
    expect(error.code).toBe('usage' satisfies ErrorCode);
    expect(error.message).toMatch(/^models\/model\.json: pkg does not run /);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/TensorFlow\.js .* or Keras/);
  });
});
