/** `models/replay.json`: the chain of states that a training went through, to be proved by doing it again. */
import { z } from 'zod';
import type { Link } from '../classifier/fit.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Snapshot } from './checkpoint.ts';

/** The version of the file. */
const REPLAY_VERSION = 1;

const hexSchema = z.string().regex(/^[0-9a-f]{64}$/);

const replaySchema = z.strictObject({
  version: z.literal(REPLAY_VERSION),
  /** Whose weights are the model's. */
  result: z.strictObject({ epoch: z.int().min(1), iteration: z.int().min(1) }),
  links: z
    .array(z.strictObject({ iteration: z.int().min(1), state: hexSchema, link: hexSchema }))
    .min(1),
  snapshots: z.array(
    z.strictObject({ iteration: z.int().min(1), logicalKey: z.string(), sha256: hexSchema }),
  ),
});

export type Replay = Readonly<z.output<typeof replaySchema>>;

/** Where the state after an iteration stands in the package. */
export function snapshotPath(iteration: number): string {
  return `models/replay/${String(iteration).padStart(9, '0')}.bin`;
}

export function formatReplay(
  links: readonly Link[],
  snapshots: readonly Snapshot[],
  result: Replay['result'],
): string {
  const replay: Replay = {
    version: REPLAY_VERSION,
    result,
    links: links.map(({ iteration, state, link }) => ({ iteration, state, link })),
    snapshots: snapshots.map(({ iteration, digest }) => ({
      iteration,
      logicalKey: snapshotPath(iteration),
      sha256: digest,
    })),
  };
  return `${JSON.stringify(replay, null, 1)}\n`;
}

/**
 * Reads `models/replay.json` of a package.
 * @throws PkgError `integrity` where it is not what this version writes.
 */
export function parseReplay(text: string, where: string): Replay {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PkgError('integrity', `${where} is not JSON`, { cause: error });
  }
  const parsed = replaySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new PkgError('integrity', `${where} is not a chain of states${place}`, {
    hint: 'The package is broken, or was built by another version of pkg.',
  });
}
