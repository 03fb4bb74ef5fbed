/** Model code that takes too long, too much, or ends its process. */
import { describe, expect, it } from 'vitest';
import { type PkgError } from '../../src/runtime/errors.ts';
import { testRuntime } from '../support/runtime.ts';
import { attack, type CodeRun, SHAPE, withModel } from './code.ts';

async function failureOf(body: string, options: Omit<CodeRun, 'files'> = {}): Promise<PkgError> {
  const ending = await attack(body, options);
  expect(ending).toMatchObject({ code: 'manifest', key: 'model.entry', exitCode: 10 });
  return ending as PkgError;
}

const QUICK = { limits: { createSeconds: 2 } };
const SMALL = { limits: { memoryBytes: 400 * 2 ** 20 } };

describe('code that goes on for ever', () => {
  it.each([
    ['in a loop', 'for (;;);'],
    ['in promises', 'for (;;) await null;'],
    ['in timers', 'setInterval(() => {}, 1); await new Promise(() => {});'],
    ['in a regular expression', '/^(a+)+$/.test("a".repeat(60) + "b");'],
    ['asleep', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'],
  ])('is stopped: %s', async (_, body) => {
    const failure = await failureOf(body, QUICK);
    expect(failure.message).toBe('model.mjs took more than 2 s for createModel and was stopped');
    expect(failure.hint).toContain('a loop without an end');
  });

  it('is stopped in a layer, where a batch takes too long', async () => {
    const files = {
      'model.js': `
exports.createModel = (tf, { inputShape }) => {
  let calls = 0;
  class Stuck extends tf.layers.Layer {
    static className = 'Stuck';
    call(inputs) { if (++calls > 1) for (;;); return inputs[0]; }
  }
  return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ units: 3, activation: 'softmax' }), new Stuck({})] });
};`,
    };
    const limits = { batchSeconds: 2 };
    await withModel({ files, limits }, async (model) => {
      const pixels = new Float32Array(SHAPE[0] * SHAPE[1] * SHAPE[2]);
      const batch = { count: 1, pixels, shape: SHAPE };
      const late = {
        code: 'manifest',
        message: 'model.js took more than 2 s for one batch and was stopped',
      };
      await expect(model.predict(batch)).resolves.toHaveLength(3);
      await expect(model.predict(batch)).rejects.toMatchObject(late);
      // It is gone, and says so again rather than wait.
      await expect(model.predict(batch)).rejects.toMatchObject(late);
    });
  });

  it('is told when nothing can settle what it waits for', async () => {
    const failure = await failureOf('await new Promise(() => {});');
    expect(failure.message).toBe('model.mjs waits for what never happens');
  });
});

describe('code that takes too much memory', () => {
  it.each([
    ['objects', 'const all = []; for (;;) all.push(new Array(1000).fill(all.length));'],
    [
      'strings',
      'let text = "a"; const all = []; for (;;) all.push((text += "a") + Math.random());',
    ],
    ['buffers', 'const all = []; for (;;) all.push(new Uint8Array(2 ** 24).fill(1));'],
    ['tensors', 'const all = []; for (;;) all.push(tf.ones([1024, 1024]));'],
    [
      'memory of WebAssembly',
      'const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 256 }); new Uint8Array(m.buffer).fill(1); all.push(m); }',
    ],
  ])('is stopped: %s', async (_, body) => {
    const failure = await failureOf(body, SMALL);
    expect(failure.message).toBe('model.mjs used more than 400 MiB of memory and was stopped');
  });

  it('is told that one array is too large', async () => {
    const failure = await failureOf('new Float32Array(2 ** 40);');
    expect(failure.message).toMatch(/^model\.mjs failed \(model\.mjs:3\): RangeError: /);
  });
});

describe('code that ends its process', () => {
  it.each([
    [
      'process.exit',
      'process.exit(0);',
      /^model\.mjs ended before its work was done \(exit code 0\)$/,
    ],
    ['process.exit with a code', 'process.exit(3);', /\(exit code 3\)$/],
    [
      'an error in a timer',
      'setTimeout(() => { throw new TypeError("late"); }, 1); await new Promise((done) => setTimeout(done, 5000));',
      /\(exit code 1\): TypeError: late$/,
    ],
    [
      'an unhandled rejection',
      'Promise.reject(new RangeError("lost")); await new Promise((done) => setTimeout(done, 5000));',
      /\(exit code 1\): .*RangeError: lost/,
    ],
  ])('is told so: %s', async (_, body, message) => {
    expect((await failureOf(body)).message).toMatch(message);
  });

  it('is told of an endless recursion', async () => {
    const failure = await failureOf('const again = () => again() + 1; again();');
    expect(failure.message).toContain('RangeError: Maximum call stack size exceeded');
  });
});

describe('code that talks', () => {
  it('is heard line by line, without control characters', async () => {
    const runtime = testRuntime();
    await attack(
      'console.log("one\\u001b[31m red\\r"); console.error("two"); process.stdout.write("three\\n");',
      { runtime },
    );
    const said = runtime.events.flatMap((event) => (event.kind === 'noted' ? [event.message] : []));
    expect(said.toSorted()).toEqual([
      'model.mjs: one [31m red',
      'model.mjs: three',
      'model.mjs: two',
    ]);
  });

  it('is not heard for ever', async () => {
    const runtime = testRuntime();
    await attack('for (let n = 0; n < 200_000; n++) console.log("x".repeat(100));', { runtime });
    const said = runtime.events.filter(({ kind }) => kind === 'noted');
    expect(said).toHaveLength(101);
    expect(said.at(-1)).toMatchObject({ message: 'model.mjs: (it says more than is shown)' });
  });
});

describe('code that lies', () => {
  it.each([
    ['sizes of weights', 'tf.LayersModel.prototype.getWeights = () => [tf.ones([2])];'],
    [
      'numbers of weights',
      'Object.defineProperty(tf.LayersModel.prototype, "weights", { get: () => [{ originalName: "w", shape: [1e9], dtype: "float32" }] });',
    ],
    [
      'names of weights',
      'Object.defineProperty(tf.LayersModel.prototype, "weights", { get: () => [1, 2].map(() => ({ originalName: "w", shape: [1], dtype: "float32" })) });',
    ],
    [
      'kinds of weights',
      'Object.defineProperty(tf.LayersModel.prototype, "weights", { get: () => [{ originalName: "w", shape: [1], dtype: "complex64" }] });',
    ],
    ['shapes', 'Object.defineProperty(model, "outputs", { get: () => [{ shape: "many" }] });'],
    ['everything', 'Array.prototype.map = () => ({});'],
  ])('about %s is refused', async (_, body) => {
    const lie = await withModel(
      {
        entry: 'model.mjs',
        files: {
          'model.mjs': `export const createModel = (tf, { inputShape }) => { const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ units: 3 })] }); ${body} return model; };`,
        },
      },
      async (model) => await model.read(),
    ).catch((error: unknown) => error);
    expect(lie).toMatchObject({ code: 'manifest', key: 'model.entry' });
  });
});
