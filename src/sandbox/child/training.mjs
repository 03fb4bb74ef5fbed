/** One update of a model's weights, and what it predicts. */

/** Probabilities are held this far from 0 and 1 in the loss, as Keras does. */
const MARGIN = 1e-7;

/** An optimizer of the manifest in TensorFlow.js' terms; the learning rate comes with each batch. */
export function createOptimizer(tf, settings) {
  const { kind, rho, momentum, epsilon, nesterov, beta1, beta2 } = settings;
  if (kind === 'rmsprop') return tf.train.rmsprop(0, rho, momentum, epsilon);
  if (kind === 'adam') return tf.train.adam(0, beta1, beta2, epsilon);
  return momentum === 0 ? tf.train.sgd(0) : tf.train.momentum(0, momentum, nesterov);
}

function setLearningRate(optimizer, learningRate) {
  if (typeof optimizer.setLearningRate === 'function') optimizer.setLearningRate(learningRate);
  else optimizer.learningRate = learningRate;
}

/**
 * One update by a batch: its loss is the mean of the examples' losses, each times its weight.
 * @param body float32 [count, height, width, 3] from 0 to 1, int32 labels [count], float32 weights [count].
 */
export function train(tf, { model, optimizer }, { count, shape, learningRate, loss }, body) {
  const numbers = count * shape[0] * shape[1] * shape[2];
  const labels = new Int32Array(body, 4 * numbers, count);
  const weights = new Float32Array(body, 4 * (numbers + count), count);
  setLearningRate(optimizer, learningRate);
  return tf.tidy(() => {
    const pixels = tf.tensor(new Float32Array(body, 0, numbers), [count, ...shape]);
    const variables = model.trainableWeights.map((weight) => weight.read());
    let result;
    const cost = () => {
      const outputs = model.apply(pixels, { training: true });
      const sum = tf.sum(tf.mul(lossOf(tf, loss, outputs, labels), tf.tensor1d(weights)));
      // Read here, since nothing of this is there any more once the gradients are.
      result = { lossSum: sum.dataSync()[0], right: countRight(outputs, labels) };
      const penalties = model.calculateLosses();
      return penalties.reduce((total, one) => tf.add(total, one), tf.div(sum, count));
    };
    optimizer.minimize(cost, false, variables);
    if (Number.isFinite(result.lossSum)) return result;
    throw new Error('the loss stopped being a finite number');
  });
}

/** Cross-entropy of each example: [count]. */
function lossOf(tf, loss, outputs, labels) {
  const units = outputs.shape[1];
  const given = tf.clipByValue(outputs, MARGIN, 1 - MARGIN);
  const truth =
    units === 1
      ? tf.tensor2d(Float32Array.from(labels), [labels.length, 1])
      : tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), units), 'float32');
  if (loss === 'categoricalCrossentropy') return tf.neg(tf.sum(tf.mul(truth, tf.log(given)), 1));
  const other = tf.mul(tf.sub(1, truth), tf.log(tf.sub(1, given)));
  return tf.neg(tf.mean(tf.add(tf.mul(truth, tf.log(given)), other), 1));
}

function countRight(outputs, labels) {
  const units = outputs.shape[1];
  const values = outputs.dataSync();
  let right = 0;
  for (const [example, label] of labels.entries()) {
    const row = values.subarray(example * units, (example + 1) * units);
    const best = units === 1 ? Number(row[0] > 0.5) : row.indexOf(Math.max(...row));
    right += Number(best === label);
  }
  return right;
}

/** Probabilities of a batch, as bytes of float32 [count, units]; `body` begins with the pixels. */
export function predict(tf, model, { count, shape }, body) {
  return tf.tidy(() => {
    const numbers = count * shape[0] * shape[1] * shape[2];
    const pixels = tf.tensor(new Float32Array(body, 0, numbers), [count, ...shape]);
    const outputs = model.apply(pixels, { training: false });
    const values = Float32Array.from(outputs.dataSync());
    return { header: { shape: outputs.shape }, body: new Uint8Array(values.buffer) };
  });
}
