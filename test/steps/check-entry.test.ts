/** What can be known of a model's code before a build: that it makes a model of this size, or why not. */
import { describe, expect, it } from 'vitest';
import { HEADER, headerChecksum } from '../../src/git/write-tar.ts';
import { checkEntry } from '../../src/steps/tensorflow-training.ts';
import { CUSTOM, codeTree, DENSE, failureOf, open, paramsOf } from './training-fixture.ts';

describe('checkEntry', () => {
  const check = async (files: Readonly<Record<string, string>>, model: object = {}) => {
    const { store, context } = await open();
    const params = paramsOf({ entry: 'model.js', ...model });
    const code = await codeTree(store, files);
    return await checkEntry(context, params, { code, classes: ['Apple', 'Orange', 'Pear'] });
  };

  it('tells what createModel makes', async () => {
    expect(await check({ 'model.js': DENSE })).toEqual({ layers: 2, weights: 2, isRunnable: true });
    const custom = await check(CUSTOM, { entry: 'net/model.mjs', params: { factor: 1 } });
    expect(custom).toEqual({ layers: 6, weights: 5, isRunnable: false });
  });

  const module = (body: string) => ({
    'model.js': `exports.createModel = (tf, { inputShape, classes }) => { ${body} };`,
  });

  it.each<[string, Readonly<Record<string, string>>, object, string]>([
    ['no such file', { 'other.js': DENSE }, {}, 'the pinned code has no file model.js'],
    ['a folder', { 'model.js/x.js': DENSE }, {}, 'the pinned code has no file model.js'],
    [
      'a path out of the code',
      { 'model.js': DENSE },
      { entry: '../model.js' },
      '../model.js is no path in the code',
    ],
    [
      'an absolute path',
      { 'model.js': DENSE },
      { entry: '/etc/passwd' },
      '/etc/passwd is no path in the code',
    ],
    [
      'no JavaScript',
      { 'model.py': 'x = 1' },
      { entry: 'model.py' },
      'model.py is no JavaScript module',
    ],
    [
      'no export',
      { 'model.js': 'exports.model = 1;' },
      {},
      'model.js: it exports no function createModel',
    ],
    [
      'a syntax error',
      { 'model.js': 'exports.createModel = (' },
      {},
      'model.js failed: SyntaxError: Unexpected end of input',
    ],
    [
      'an error',
      module('throw new RangeError("no layers today");'),
      {},
      'model.js failed (model.js:1): RangeError: no layers today',
    ],
    ['what is no error', module('throw "a text";'), {}, 'model.js failed: a text'],
    [
      'no model',
      module('return { layers: [] };'),
      {},
      'model.js: createModel returned no tf.LayersModel',
    ],
    [
      'another input',
      module('return tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 3 })] });'),
      {},
      'model.js makes a model that takes [null, 4], not [null, 8, 6, 3]',
    ],
    [
      'too few outputs',
      module(
        'return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ units: 2, activation: "softmax" })] });',
      ),
      {},
      'model.js makes a model with 2 outputs for 3 classes',
    ],
    [
      'a map of outputs',
      module(
        'return tf.sequential({ layers: [tf.layers.conv2d({ inputShape, filters: 3, kernelSize: 3 })] });',
      ),
      {},
      'model.js makes a model that gives [null, 6, 4, 3], not one vector a picture',
    ],
    [
      'no probabilities',
      module(
        'return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ units: 3, kernelInitializer: "ones" })] });',
      ),
      {},
      'model.js makes a model whose outputs are not numbers from 0 to 1 that add up to 1',
    ],
    [
      'another package',
      { 'model.js': 'require("@tensorflow/tfjs");' },
      {},
      "model.js failed (model.js:1): Error: Cannot find module '@tensorflow/tfjs'",
    ],
    [
      'another package, as ESM',
      {
        'model.js': 'import "@tensorflow/tfjs"; export const createModel = 1;',
        'package.json': '{"type":"module"}',
      },
      {},
      "model.js failed: Error: Cannot find package '@tensorflow/tfjs'",
    ],
  ])('names what is wrong: %s', async (_, files, model, message) => {
    const failure = await failureOf(check(files, model));
    expect({ code: failure.code, key: failure.key }).toEqual({
      code: 'manifest',
      key: 'model.entry',
    });
    expect(failure.message).toContain(message);
  });

  it('unpacks no link, which would lead out of the code', async () => {
    const { store, context } = await open();
    const [archive] = await codeTree(store, { 'model.js': DENSE });
    const bytes = await store.read(archive!.digest);
    const header = bytes.subarray(0, 512);
    header.write('2', HEADER.type[0], 'latin1');
    header.write('/etc/passwd\0', HEADER.linkName[0], 'latin1');
    const sum = headerChecksum(header).toString(8).padStart(6, '0');
    header.write(`${sum}\0 `, HEADER.checksum[0], 'latin1');
    const code = [{ path: 'code.tar', ...(await store.putBytes(bytes)) }];
    const subject = { code, classes: ['Apple', 'Orange'] };
    const failure = await failureOf(checkEntry(context, paramsOf({ entry: 'model.js' }), subject));
    expect(failure.code).toBe('integrity');
  });
});
