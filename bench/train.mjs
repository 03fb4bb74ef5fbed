// Train: iterations of the article's network, against Keras on TensorFlow, and a fit on real crops.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runRounds } from './measure.mjs';
import { METRICS } from './report.mjs';

const HERE = import.meta.dirname;
const WARM_UP = 5;
const ITERATIONS = 30;

const TRAIN_METRICS = {
  cpu: {
    label: 'CPU an iteration',
    of: ({ said }) => said.cpuMs,
    format: (value) => `${value.toFixed(1)} ms`,
  },
  wall: {
    label: 'wall an iteration',
    of: ({ said }) => said.wallMs,
    format: (value) => `${value.toFixed(1)} ms`,
  },
  memory: METRICS.memory,
};

/** Runs the training benchmark and returns what `makeResult` takes. */
export function benchTrain(context) {
  const cores = availableParallelism();
  const lengths = [String(WARM_UP), String(ITERATIONS)];
  const pkg = (threads) => [
    process.execPath,
    join(HERE, 'pkg-train.mjs'),
    String(threads),
    ...lengths,
  ];
  const keras = (threads) => [
    process.env.PKG_KERAS_PYTHON,
    join(HERE, 'peers', 'keras_train.py'),
    String(threads),
    ...lengths,
  ];
  const fit = [process.execPath, join(HERE, 'pkg-fit.mjs'), join(context.shared, 'data')];
  const runs = runRounds(context, [
    { name: 'pkg1', command: () => pkg(1) },
    { name: 'keras1', command: () => keras(1) },
    { name: 'pkg', command: () => pkg(cores) },
    { name: 'keras', command: () => keras(cores) },
    { name: 'fit', command: (folder) => [...fit, folder] },
  ]);
  const { version } = runs.keras[0].said;
  const shares = runs.fit.map(({ said }) => said.kernelShare).sort((a, b) => a - b);
  const { examples, threads } = runs.fit[0].said;
  return {
    title: 'TRAIN: iterations of 16 of the article’s network, 128 x 128, RMSprop',
    notes: [
      `${ITERATIONS} iterations after ${WARM_UP}; wall is the median, CPU the mean. Memory is the whole process.`,
      `Keras ${version}: train_on_batch, jit_compile=False.`,
      `A fit on ${examples} real crops with augmentation, ${threads} threads: ` +
        `${(100 * shares[shares.length >> 1]).toFixed(1)} % of its time is in kernels ` +
        `(${(100 * shares[0]).toFixed(1)} to ${(100 * shares.at(-1)).toFixed(1)}).`,
    ],
    metrics: TRAIN_METRICS,
    names: {
      pkg1: 'pkg, 1 thread',
      keras1: 'Keras, 1 thread',
      pkg: `pkg, ${cores} threads`,
      keras: `Keras, ${cores} threads`,
    },
    runs,
    pairs: [
      ['pkg1', 'keras1', sentence('On one thread')],
      ['pkg', 'keras', sentence(`On ${cores} threads`)],
    ],
  };
}

function sentence(condition) {
  return ({ cpu, wall, memory }) =>
    `${condition} an iteration of pkg takes ${cpu} the CPU time of one of Keras and ${wall} its ` +
    `wall time, with ${memory} its peak memory.`;
}
