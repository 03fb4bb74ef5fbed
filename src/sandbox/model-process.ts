/** A model in a sandbox: made there, trained batch by batch, asked for predictions and read. */
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import { codeError, type ThrownError, thrownSchema } from './code-error.ts';
import type { CodeLimits } from './limits.ts';
import type { AnswerLimits, Sandbox } from './sandbox.ts';

/** Numbers in all weights together: 2 GiB of them. */
const MAX_NUMBERS = 2 ** 29;

const MAX_WEIGHTS = 16_000;

/** A topology of a thousand layers has half a million characters. */
const MAX_TOPOLOGY_BYTES = 16_000_000;

const MAX_HEADER_BYTES = 8_000_000;

const BYTES_PER_NUMBER = 4;

/** How the model comes to be: by the code's module, or by a topology as Keras writes it. */
export type ModelSource =
  | {
      readonly kind: 'entry';
      /** The module's file. */
      readonly entry: string;
      readonly classes: readonly string[];
      readonly params: unknown;
    }
  | { readonly kind: 'topology'; readonly topology: object };

export interface ModelRequest {
  readonly source: ModelSource;
  readonly input: { readonly heightPx: number; readonly widthPx: number };
  /** With all its settings but the learning rate, which comes with each batch. */
  readonly optimizer: object;
}

export interface ModelWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A model as its process describes it; whether it is of any use is for others to say. */
export interface ModelKind {
  readonly inputs: readonly (readonly (number | null)[])[];
  readonly outputs: readonly (readonly (number | null)[])[];
  readonly layers: number;
  readonly weights: readonly ModelWeight[];
}

export interface ModelBatch {
  readonly count: number;
  /** float32 [count, height, width, 3], from 0 to 1. */
  readonly pixels: Float32Array;
  readonly shape: readonly [number, number, number];
}

export interface ModelTrainingBatch extends ModelBatch {
  /** Indices of classes: [count]. */
  readonly labels: Int32Array;
  /** How much each example counts: [count]. */
  readonly exampleWeights: Float32Array;
  readonly learningRate: number;
  readonly loss: 'binaryCrossentropy' | 'categoricalCrossentropy';
}

export interface ReadModel {
  /** As Keras writes it; foreign, and not looked at. */
  readonly topology: object;
  readonly weights: readonly ModelWeight[];
  /** All numbers, in the order of the weights. */
  readonly values: Float32Array;
}

const shapeSchema = z.array(z.int().min(0).max(MAX_NUMBERS)).max(8);

const weightSchema = z.object({
  name: z.string().min(1).max(500),
  shape: shapeSchema,
  dtype: z.literal('float32'),
});

const weightsSchema = z.array(weightSchema).max(MAX_WEIGHTS);

const ioShape = z.array(z.int().min(0).nullable()).max(8);

const kindSchema = z.object({
  inputs: z.array(ioShape).max(100),
  outputs: z.array(ioShape).max(100),
  layers: z.int().min(0),
  weights: weightsSchema,
});

const readSchema = z.object({ topology: z.looseObject({}), weights: weightsSchema });

const trainedSchema = z.object({ lossSum: z.number(), right: z.int().min(0) });

const predictedSchema = z.object({ shape: z.array(z.int().min(0)) });

const answerSchema = z.union([
  z.looseObject({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), error: thrownSchema }),
]);

/** The model in a sandbox; methods fail as `Sandbox.ask` does, and where the code throws. */
export interface ModelProcess {
  readonly kind: ModelKind;
  /** One update of the weights; the sum of the examples' losses, and how many were told right. */
  train(batch: ModelTrainingBatch): Promise<{ readonly lossSum: number; readonly right: number }>;
  /** float32 [count, units]. */
  predict(batch: ModelBatch): Promise<Float32Array>;
  read(): Promise<ReadModel>;
  /** Sets the weights to numbers in the order of `read`. */
  write(values: Float32Array): Promise<void>;
}

export interface ModelContext {
  readonly sandbox: Sandbox;
  readonly limits: CodeLimits;
  /** What messages call the code, and where it lies. */
  readonly name: string;
  readonly folder: string | undefined;
}

/**
 * Makes a model.
 * @throws PkgError `manifest` where the code fails, or makes what has no finite shape.
 */
export async function createModel(
  context: ModelContext,
  request: ModelRequest,
): Promise<ModelProcess> {
  const { limits } = context;
  const { source, input, optimizer } = request;
  const { kind: _, ...model } = source;
  const created = await ask(
    context,
    { kind: 'create', model: { ...model, input }, optimizer },
    [],
    {
      seconds: limits.createSeconds,
      work: source.kind === 'entry' ? 'createModel' : 'making the model',
      bodyBytes: 0,
    },
  );
  const kind = parse(context, kindSchema, created.header);
  const numbers = countNumbers(context, kind.weights);
  const batchLimits = { seconds: limits.batchSeconds, work: 'one batch' };
  return {
    kind,
    async train({ pixels, labels, exampleWeights, ...header }) {
      const body = [pixels, labels, exampleWeights].map(bytesOf);
      const limit = { ...batchLimits, bodyBytes: 0 };
      const answer = await ask(context, { kind: 'train', ...header }, body, limit);
      return parse(context, trainedSchema, answer.header);
    },
    async predict({ pixels, ...header }) {
      const units = kind.outputs[0]?.at(-1) ?? 0;
      const bodyBytes = BYTES_PER_NUMBER * header.count * units;
      const limit = { ...batchLimits, bodyBytes };
      const asked = { kind: 'predict', ...header };
      const answer = await ask(context, asked, [bytesOf(pixels)], limit);
      const { shape } = parse(context, predictedSchema, answer.header);
      const isWhole = shape.join() === [header.count, units].join();
      if (!isWhole || answer.body.length !== bodyBytes) throw strange(context);
      return numbersOf(answer.body);
    },
    async read() {
      const limit = { ...batchLimits, bodyBytes: BYTES_PER_NUMBER * numbers };
      const answer = await ask(context, { kind: 'read' }, [], limit);
      const { topology, weights } = parse(context, readSchema, answer.header);
      const isSame = JSON.stringify(weights) === JSON.stringify(kind.weights);
      if (!isSame || answer.body.length !== limit.bodyBytes) throw strange(context);
      return { topology, weights: kind.weights, values: numbersOf(answer.body) };
    },
    async write(values) {
      const limit = { ...batchLimits, bodyBytes: 0 };
      await ask(context, { kind: 'write' }, [bytesOf(values)], limit);
    },
  };
}

async function ask(
  context: ModelContext,
  header: object,
  body: readonly Uint8Array[],
  limits: Omit<AnswerLimits, 'headerBytes'>,
): Promise<{ readonly header: object; readonly body: Uint8Array }> {
  const headerBytes = MAX_TOPOLOGY_BYTES + MAX_HEADER_BYTES;
  const answer = await context.sandbox.ask(header, body, { ...limits, headerBytes });
  const parsed = answerSchema.safeParse(answer.header);
  if (!parsed.success) throw strange(context);
  if (parsed.data.ok) return { header: parsed.data, body: answer.body };
  throw codeError(context, parsed.data.error satisfies ThrownError);
}

function parse<Schema extends z.ZodType>(
  context: ModelContext,
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.path.at(-1) !== 'dtype') throw strange(context);
  throw new PkgError(
    'manifest',
    `${context.name} makes a model whose weights are not all float32`,
    {
      key: 'model.entry',
    },
  );
}

/** How many numbers the weights are; fails where they are too many or two have one name. */
function countNumbers({ name }: ModelContext, weights: readonly ModelWeight[]): number {
  const names = new Set(weights.map((weight) => weight.name));
  const numbers = weights.reduce(
    (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1),
    0,
  );
  if (numbers <= MAX_NUMBERS && names.size === weights.length) return numbers;
  const what =
    numbers > MAX_NUMBERS
      ? `with more than ${String(MAX_NUMBERS)} weights`
      : 'with two weights of one name';
  throw new PkgError('manifest', `${name} makes a model ${what}`, { key: 'model.entry' });
}

function strange({ name }: ModelContext): PkgError {
  return new PkgError('manifest', `${name} gives answers that are none`, {
    key: 'model.entry',
    hint: 'It changes what TensorFlow.js or JavaScript itself does.',
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Numbers that begin where the bytes do. */
function numbersOf(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = Uint8Array.from(bytes);
  return new Float32Array(buffer, byteOffset, byteLength / BYTES_PER_NUMBER);
}
