/** Ten updates of each optimizer against real Keras, given the same gradients. */
import { beforeAll, expect, it } from 'vitest';
import { KERAS_PYTHON, runKeras } from '../support/keras-python.ts';
import { describeWith } from '../support/shared.ts';
import { LEARNING_RATES, movesApart, OPTIMIZERS, type Run, runOf } from './optimizer-cases.ts';

const APPLY = `
import keras
import numpy as np
makers = {'sgd': keras.optimizers.SGD, 'rmsprop': keras.optimizers.RMSprop, 'adam': keras.optimizers.Adam}
def applied(run):
    def plain(value):
        return float(value) if type(value) is int else value
    names = {'beta1': 'beta_1', 'beta2': 'beta_2'}
    settings = {names.get(key, key): plain(value) for key, value in run['optimizer'].items()}
    optimizer = makers[settings.pop('kind')](learning_rate=0.5, **settings)
    variables = [keras.Variable(np.array(start, 'float32')) for start in run['start']]
    weights = []
    for gradients, rate in zip(run['gradients'], args['learningRates']):
        optimizer.learning_rate = rate
        arrays = [keras.ops.convert_to_tensor(np.array(one, 'float32')) for one in gradients]
        optimizer.apply(arrays, variables)
        weights.append([variable.numpy().tolist() for variable in variables])
    return weights
say({'version': keras.__version__, 'weights': [applied(run) for run in args['runs']]})
`;

interface Answer {
  readonly version: string;
  /** Of each run, after each update, of each weight. */
  readonly weights: readonly (readonly (readonly number[])[])[][];
}

describeWith('Keras (PKG_KERAS_PYTHON)', KERAS_PYTHON)('ten updates are those of Keras', () => {
  const names = Object.keys(OPTIMIZERS);
  const runs: Run[] = [];
  let answer: Answer = { version: '', weights: [] };

  beforeAll(async () => {
    for (const optimizer of Object.values(OPTIMIZERS)) runs.push(await runOf(optimizer));
    const plain = runs.map(({ optimizer, start, gradients }) => ({
      optimizer,
      start: start.map((one) => [...one]),
      gradients: gradients.map((update) => update.map((one) => [...one])),
    }));
    answer = await runKeras<Answer>(APPLY, { runs: plain, learningRates: LEARNING_RATES });
  });

  it('of version 3', () => {
    expect(answer.version).toMatch(/^3\./);
  });

  it.each(names)('of %s', (name) => {
    const index = names.indexOf(name);
    const run = runs[index];
    if (run === undefined) throw new Error('it ran');
    expect(movesApart(run, answer.weights[index] ?? [])).toBeLessThan(1e-5);
  });
});
