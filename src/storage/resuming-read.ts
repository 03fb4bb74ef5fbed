/** Reads that go on where their connection broke. */
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ByteRange } from './storage.ts';

/** How often a transfer that breaks off is taken up again; one that brought enough counts for none. */
const MAX_RESUMES = 5;
const ENOUGH_BYTES = 64 * 1024;
const FIRST_DELAY_MS = 200;

/** What is read, and how the rest of it is asked for. */
export interface ResumedRead {
  readonly range: ByteRange;
  /** What messages call it. */
  readonly name: string;
  /** Opens a part of the same content anew; undefined where the object is gone. */
  readonly reopen: (left: ByteRange) => Promise<AsyncIterable<Uint8Array> | undefined>;
}

/**
 * The bytes of `opened`, which should be those of the range. Where the connection breaks, the rest is
 * asked for, as often as that brings 64 KiB, else five times at most. Content that
 * ends early without a break is passed on as it is.
 * @throws PkgError `unreachable` where the network is too bad.
 */
export function readResuming(
  runtime: Runtime,
  opened: AsyncIterable<Uint8Array>,
  read: ResumedRead,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const bytes = resume(runtime, opened, read);
      let hasBegun = false;
      return {
        next() {
          hasBegun = true;
          return bytes.next();
        },
        async return() {
          // A body that nobody has begun to read holds a connection all the same.
          if (!hasBegun) await opened[Symbol.asyncIterator]().return?.();
          return await bytes.return(undefined);
        },
      };
    },
  };
}

async function* resume(
  runtime: Runtime,
  opened: AsyncIterable<Uint8Array>,
  { range, name, reopen }: ResumedRead,
): AsyncGenerator<Uint8Array> {
  const { clock, signal } = runtime;
  let bytes = opened;
  let position = range.start;
  for (let failures = 0; ; failures++) {
    let arrived = 0;
    try {
      for await (const chunk of bytes) {
        position += chunk.length;
        arrived += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PkgError || systemErrorCode(error) === undefined) throw error;
      if (position >= range.end) return;
      if (arrived >= ENOUGH_BYTES) failures = 0;
      if (failures >= MAX_RESUMES) throw brokenOff(name, error);
      await clock.sleep(FIRST_DELAY_MS * 2 ** failures, signal);
      const rest = await reopen({ start: position, end: range.end });
      if (rest === undefined) throw brokenOff(name, error);
      bytes = rest;
    }
  }
}

function brokenOff(name: string, error: unknown): PkgError {
  return new PkgError('unreachable', `${name} did not arrive whole: ${messageOf(error)}`, {
    hint: 'Run the command again; what has arrived whole is kept.',
    cause: error,
  });
}
