/** The deterministic engine: the same bits on every machine and with any number of threads. */
import {
  type Network,
  outputUnits,
  sizeOf,
  type Weights,
  weightSpecs,
} from '../classifier/classifier.ts';
import type {
  Batch,
  BatchResult,
  Engine,
  PredictedBatch,
  TrainingBatch,
} from '../classifier/engine.ts';
import { streamKey } from '../classifier/random.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import {
  type Compiled,
  type CompileOptions,
  compileNetwork,
  type TrainingOptions,
} from './compile.ts';
import { loadKernels } from './kernels.ts';
import { gather, spreadOut, type Tensor } from './layout.ts';
import { createMachine, type Machine } from './machine.ts';
import { optimizerSettings } from './optimizer-settings.ts';
import { writeProgram } from './program.ts';

export interface EngineOptions extends CompileOptions {
  /** What dropout's streams are drawn by. */
  readonly seed: number;
}

/**
 * Makes an engine for a network; its weights are 0 until they are written. The result of every method
 * is the same for any number of threads.
 * @throws PkgError `manifest` for a layer, loss or size that the engine has not.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const compiled = compileChecked(options);
  const machine = await createMachine(await loadKernels(), {
    ...compiled,
    threads: options.threads,
  });
  for (const program of [compiled.train, compiled.predict, compiled.prepare]) {
    if (program !== undefined) writeProgram(machine.memory, program);
  }
  return new WasmEngine(options, compiled, machine);
}

/** Fails as `createEngine` does for what the engine has not, without making one. */
export function checkEngine(options: CompileOptions): void {
  compileChecked(options);
}

function compileChecked(options: CompileOptions): Compiled {
  checkLayers(options.network);
  return compileNetwork(options);
}

const KERNEL_SIZES = [1, 3, 5];
const STRIDES = [1, 2];

/** Convolutions come in a few sizes; anything else is for another engine. */
function checkLayers({ layers }: Network): void {
  for (const [index, { spec }] of layers.entries()) {
    if (spec.kind !== 'conv2d') continue;
    const key = `model.layers.${String(index)}.conv2d`;
    if (!KERNEL_SIZES.includes(spec.kernelSize)) {
      throw unsupported(`${key}.kernelSize`, spec.kernelSize, KERNEL_SIZES);
    }
    if (!STRIDES.includes(spec.strides)) {
      throw unsupported(`${key}.strides`, spec.strides, STRIDES);
    }
  }
}

function unsupported(key: string, value: number, known: readonly number[]): PkgError {
  return new PkgError('manifest', `the deterministic engine has no ${String(value)} here`, {
    key,
    hint: `Use ${known.join(', ')}; engine: tensorflow takes any.`,
  });
}

class WasmEngine implements Engine {
  readonly network: Network;
  readonly batchSize: number;
  readonly #compiled: Compiled;
  readonly #machine: Machine;
  readonly #training: TrainingOptions | undefined;
  readonly #seed: number;
  /** The whole memory, seen as bytes and as numbers. */
  readonly #bytes: Uint8Array;
  readonly #floats: Float32Array;
  readonly #words: Int32Array;

  constructor(options: EngineOptions, compiled: Compiled, machine: Machine) {
    this.network = options.network;
    this.batchSize = options.batchSize;
    this.#seed = options.seed;
    this.#training = options.training;
    this.#compiled = compiled;
    this.#machine = machine;
    this.#bytes = new Uint8Array(machine.memory.buffer);
    this.#floats = new Float32Array(machine.memory.buffer);
    this.#words = new Int32Array(machine.memory.buffer);
  }

  train(batch: TrainingBatch): BatchResult {
    const { train, settings, transforms, exampleWeights, dropoutKeys } = this.#compiled;
    invariant(train !== undefined && this.#training !== undefined, 'this engine trains');
    this.#load(batch);
    this.#floats.set(batch.exampleWeights, exampleWeights / 4);
    if (batch.transforms !== undefined) {
      new Float64Array(this.#machine.memory.buffer).set(batch.transforms, transforms / 8);
    }
    const view = new DataView(this.#machine.memory.buffer);
    for (const { layer, address } of dropoutKeys) {
      const purpose = ['dropout', layer, batch.iteration];
      view.setBigUint64(address, streamKey(this.#seed, purpose), true);
    }
    const { optimizer } = this.#training;
    const numbers = optimizerSettings(optimizer, batch.learningRate, batch.iteration + 1);
    this.#floats.set(numbers, settings / 4);
    this.#machine.run(train.address, batch.count);
    const result = this.#result();
    this.#checkFinite(result, batch);
    return result;
  }

  predict(batch: Batch): PredictedBatch {
    const { predict, exampleWeights, output } = this.#compiled;
    this.#load(batch);
    this.#floats.fill(1, exampleWeights / 4, exampleWeights / 4 + batch.count);
    this.#machine.run(predict.address, batch.count);
    const units = outputUnits(this.network);
    const probabilities = new Float32Array(batch.count * units);
    for (let example = 0; example < batch.count; example += 1) {
      const start = (output.address + example * output.imageBytes) / 4;
      probabilities.set(this.#floats.subarray(start, start + units), example * units);
    }
    return { ...this.#result(), probabilities };
  }

  readWeights(): Weights {
    return this.#compiled.parameters.map((parameter) => {
      const start = parameter.address / 4;
      const placed = this.#floats.subarray(start, start + parameter.count);
      return gather(parameter, placed, sizeOf(parameter.spec.shape));
    });
  }

  /** The gradients of the last update, in the order of the weights; of what is not trained, zeros. */
  readGradients(): Weights {
    return this.#compiled.parameters.map((parameter) => {
      const size = sizeOf(parameter.spec.shape);
      if (!parameter.spec.trainable) return new Float32Array(size);
      const start = parameter.gradient / 4;
      return gather(parameter, this.#floats.subarray(start, start + parameter.count), size);
    });
  }

  writeWeights(weights: Weights): void {
    for (const [index, parameter] of this.#compiled.parameters.entries()) {
      const values = weights[index];
      invariant(values?.length === sizeOf(parameter.spec.shape), 'weights fit the network');
      const start = parameter.address / 4;
      spreadOut(values, parameter, this.#floats.subarray(start, start + parameter.count));
    }
    this.#prepare();
  }

  readState(): Uint8Array {
    const { address, sizeBytes } = this.#compiled.state;
    return this.#bytes.slice(address, address + sizeBytes);
  }

  writeState(state: Uint8Array): void {
    const { address, sizeBytes } = this.#compiled.state;
    invariant(state.length === sizeBytes, 'a state fits its network and optimizer');
    this.#bytes.set(state, address);
    this.#prepare();
  }

  async close(): Promise<void> {
    await this.#machine.close();
  }

  /** Fills all memory that one update does not take over from the one before with NaN, for tests. */
  poison(): void {
    const { state, parameters, memoryBytes, pixels } = this.#compiled;
    const kept = this.#bytes.slice(state.address, state.address + state.sizeBytes);
    const programs = this.#programWords();
    const firstAfter = Math.min(...parameters.map(({ gradient }) => gradient));
    this.#floats.fill(
      Number.NaN,
      Math.max(firstAfter, state.address + state.sizeBytes) / 4,
      memoryBytes / 4,
    );
    this.#bytes.set(kept, state.address);
    for (const [address, words] of programs) this.#words.set(words, address / 4);
    for (const { sick } of parameters) this.#words[sick / 4] = 0;
    invariant(pixels > 0, 'the input has a place');
    this.#prepare();
  }

  #programWords(): [number, readonly number[]][] {
    const { train, predict, prepare } = this.#compiled;
    return [train, predict, prepare].flatMap((program) =>
      (program?.writes ?? []).map(({ address, words }): [number, readonly number[]] => [
        address,
        words,
      ]),
    );
  }

  #prepare(): void {
    this.#machine.run(this.#compiled.prepare.address, 1);
  }

  #load({ count, pixels, labels }: Batch): void {
    const { compiled, size } = { compiled: this.#compiled, size: sizeOf(this.network.inputShape) };
    invariant(count >= 1 && count <= this.batchSize, 'a batch has 1 to batchSize examples');
    invariant(pixels.length === count * size && labels.length === count, 'a batch is whole');
    this.#bytes.set(pixels, compiled.pixels);
    this.#words.set(labels, compiled.labels / 4);
  }

  #result(): BatchResult {
    const view = new DataView(this.#machine.memory.buffer, this.#compiled.result, 16);
    return { lossSum: view.getFloat64(0, true), right: view.getInt32(8, true) };
  }

  #checkFinite({ lossSum }: BatchResult, { iteration, count }: TrainingBatch): void {
    // Gradients go from the last layer to the first, and with them what is not finite.
    const sick = this.#compiled.parameters.findLast(
      ({ sick: word }) => this.#words[word / 4] !== 0,
    );
    if (Number.isFinite(lossSum) && sick === undefined) return;
    const bad = this.#compiled.outputs.find(({ tensor }) => !this.#isFinite(tensor, count));
    const names = weightSpecs(this.network);
    const index = sick === undefined ? 0 : this.#compiled.parameters.indexOf(sick);
    const layer = bad?.layer ?? `${names[index]?.layer ?? ''}, in its ${names[index]?.name ?? ''}`;
    throw new PkgError(
      'manifest',
      `training broke down: iteration ${String(iteration + 1)} gave a number that is not finite in layer ${layer}`,
      { key: 'model.fit.optimizer', hint: 'Lower the learning rate.' },
    );
  }

  #isFinite({ address, imageBytes }: Tensor, count: number): boolean {
    const values = this.#floats.subarray(address / 4, (address + count * imageBytes) / 4);
    return values.every((value) => Number.isFinite(value));
  }
}
