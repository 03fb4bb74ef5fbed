/** Bodies of answers: read within limits, or dropped so that their connection is free again. */
import type { Dispatcher } from 'undici';
import type { Clock } from '../runtime/runtime.ts';

/** Beyond twice the timeout, a body must arrive at this mean rate or faster. */
const MIN_BYTES_PER_SECOND = 8 * 1024;

/** How much of an unwanted body is read to keep its connection, and for how long. */
const MAX_DISCARDED_BYTES = 64 * 1024;
const DISCARD_MS = 1000;

export class BodyTooLarge extends Error {}
export class BodyTooSlow extends Error {}

/**
 * Passes a body on.
 * @throws BodyTooLarge past `maxBytes`, and BodyTooSlow where it drips.
 */
export async function* limitBody(
  clock: Clock,
  body: AsyncIterable<Uint8Array>,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): AsyncGenerator<Uint8Array> {
  const startMs = clock.now();
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new BodyTooLarge();
    const allowedMs = 2 * timeoutMs + (1000 * sizeBytes) / MIN_BYTES_PER_SECOND;
    if (clock.now() - startMs > allowedMs) throw new BodyTooSlow('the body came too slowly');
    yield chunk;
  }
}

/**
 * Frees the connection of a body that was not read to its end: a short rest is read, so that the
 * connection serves again, anything longer or slower ends it.
 */
export async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  if (body.closed || body.readableEnded) return;
  // What is wrong with a body that nobody reads is of no interest.
  body.on('error', () => undefined);
  if (body.destroyed || body.readableDidRead) {
    body.destroy();
    return;
  }
  try {
    await body.dump({ limit: MAX_DISCARDED_BYTES, signal: AbortSignal.timeout(DISCARD_MS) });
  } catch {
    body.destroy();
  }
}
