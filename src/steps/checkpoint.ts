/** Checkpoints: where an unfinished training stands, kept in the store until it is done. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { FitState } from '../classifier/fit.ts';
import type { Descriptor, Digest } from '../store/digest.ts';
import { isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

/** A state of the engine that goes into the package, and after which iteration it was. */
export interface Snapshot extends Descriptor {
  readonly iteration: number;
}

export interface Checkpoint {
  readonly fit: FitState;
  readonly snapshots: readonly Snapshot[];
}

const digest = z.string().refine(isDigest);
const finite = z.number();

const rowSchema = z.object({
  epoch: z.int(),
  loss: finite,
  accuracy: finite,
  val_loss: finite.nullable(),
  val_accuracy: finite.nullable(),
  learning_rate: finite,
});

const headerSchema = z.object({
  rows: z.array(rowSchema),
  links: z.array(z.object({ iteration: z.int(), state: z.string(), link: z.string() })),
  progress: z.object({ bestEpoch: z.int(), best: finite, waited: z.int() }).optional(),
  snapshots: z.array(z.object({ iteration: z.int(), digest, sizeBytes: z.int() })),
  stateBytes: z.int().min(0),
  /** 0 where the best state is not kept, -1 where it is the state itself. */
  bestBytes: z.int().min(-1),
  /** SHA-256 of everything behind the header. */
  body: z.string(),
});

/** The checkpoint under a key; undefined where there is none, or it is not whole. */
export async function findCheckpoint(store: Store, key: Digest): Promise<Checkpoint | undefined> {
  const bytes = await store.findWork(key);
  const end = bytes?.indexOf('\n') ?? -1;
  if (bytes === undefined || end < 0) return undefined;
  const header = parseHeader(bytes.subarray(0, end).toString('utf8'));
  const body = bytes.subarray(end + 1);
  if (header === undefined || sha256(body) !== header.body) return undefined;
  const { stateBytes, bestBytes, rows, links, progress, snapshots } = header;
  const state = Uint8Array.from(body.subarray(0, stateBytes));
  const best = Uint8Array.from(body.subarray(stateBytes));
  const bestState = bestBytes < 0 ? state : bestBytes === 0 ? undefined : best;
  return { fit: { state, bestState, rows, links, progress }, snapshots };
}

export async function writeCheckpoint(
  store: Store,
  key: Digest,
  { fit, snapshots }: Checkpoint,
): Promise<void> {
  const { state, bestState, rows, links, progress } = fit;
  const isSame = bestState === state;
  const parts = bestState === undefined || isSame ? [state] : [state, bestState];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const header = {
    ...{ rows, links, progress, snapshots },
    stateBytes: state.length,
    bestBytes: isSame ? -1 : (bestState?.length ?? 0),
    body: hash.digest('hex'),
  };
  await store.writeWork(key, [Buffer.from(`${JSON.stringify(header)}\n`), ...parts]);
}

function parseHeader(text: string): z.output<typeof headerSchema> | undefined {
  try {
    const parsed = headerSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
