/** Objects of a registry: the bytes of an entry, found by digest and checked while they are read. */

import { type Entry, statedDigest } from '../package/package.ts';
import { hasherFor } from '../package/verify.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Descriptor } from '../store/digest.ts';
import { digestInPhysicalKey, objectKey } from './layout.ts';
import type { ObjectAddress, Registry } from './registry.ts';

/** How often a transfer that breaks off is taken up again where it stopped. */
const MAX_RESUMES = 5;
const FIRST_DELAY_MS = 200;

/**
 * Where an entry's bytes may be, likeliest first: under its digest, whatever its physical key says;
 * under the digest in its physical key; where the physical key itself points.
 */
export function candidates(registry: Registry, entry: Entry): readonly ObjectAddress[] {
  const digests = [statedDigest(entry), digestInPhysicalKey(entry.physicalKey)];
  const keys = new Set(digests.filter((digest) => digest !== undefined).map(objectKey));
  const pointed = registry.addressOf(entry.physicalKey);
  const byDigest = [...keys].map((key) => ({ key }));
  const further = pointed !== undefined && !keys.has(pointed.key) ? [pointed] : [];
  return [...byDigest, ...further];
}

/** The first place that states to have an entry's object with the right size. */
async function findObject(registry: Registry, entry: Entry): Promise<ObjectAddress | undefined> {
  for (const address of candidates(registry, entry)) {
    const found = await registry.head(address);
    if (found?.sizeBytes === entry.sizeBytes) return address;
  }
  return undefined;
}

/**
 * An entry's bytes. They are passed on as they arrive, and the stream fails at its end if they were not
 * what the entry says, so a reader must not use them before.
 * @throws PkgError `integrity` for missing, cut-off, overlong or other bytes.
 */
export async function* readEntry(
  runtime: Runtime,
  registry: Registry,
  entry: Entry,
): AsyncGenerator<Uint8Array> {
  const address = await firstPresent(registry, entry);
  const hasher = hasherFor(entry.hash, entry.sizeBytes);
  let received = 0;
  for (let resumes = 0; received < entry.sizeBytes || resumes === 0; resumes++) {
    try {
      for await (const chunk of readRest(registry, address, entry, received)) {
        received += chunk.length;
        if (received > entry.sizeBytes) throw damaged(registry, entry, 'is longer than it says');
        hasher.update(chunk);
        yield chunk;
      }
      if (received < entry.sizeBytes) throw damaged(registry, entry, 'is cut short');
    } catch (error) {
      runtime.signal.throwIfAborted();
      if (error instanceof TypeError) throw error;
      if (error instanceof PkgError || resumes >= MAX_RESUMES) throw broken(registry, entry, error);
      await runtime.clock.sleep(FIRST_DELAY_MS * 2 ** resumes, runtime.signal);
    }
  }
  if (hasher.finish() !== entry.hash.value) throw damaged(registry, entry, 'has other bytes');
}

/** Recorded bytes by their digest out of a registry, for a build that replays a fetch record. */
export function objectSource(registry: Registry) {
  return async (descriptor: Descriptor): Promise<AsyncIterable<Uint8Array> | undefined> => {
    const found = await registry.read({ key: objectKey(descriptor.digest) });
    return found?.sizeBytes === descriptor.sizeBytes ? found.bytes : undefined;
  };
}

async function firstPresent(registry: Registry, entry: Entry): Promise<ObjectAddress> {
  const [only, ...others] = candidates(registry, entry);
  if (only !== undefined && others.length === 0) return only;
  const found = await findObject(registry, entry);
  if (found === undefined) throw damaged(registry, entry, 'is missing');
  return found;
}

async function* readRest(
  registry: Registry,
  address: ObjectAddress,
  entry: Entry,
  received: number,
): AsyncGenerator<Uint8Array> {
  const range = received === 0 ? undefined : { start: received, end: entry.sizeBytes };
  const found = await registry.read(address, range);
  if (found === undefined) throw damaged(registry, entry, 'is missing');
  yield* found.bytes;
}

function damaged(registry: Registry, entry: Entry, what: string): PkgError {
  return new PkgError('integrity', `${entry.logicalKey} ${what} in ${registry.url}`, {
    hint: 'Name another registry that has the package, or ask whoever keeps this one.',
  });
}

function broken(registry: Registry, entry: Entry, error: unknown): PkgError {
  if (error instanceof PkgError) return error;
  const why = messageOf(error);
  return new PkgError(
    'unreachable',
    `${entry.logicalKey} did not arrive from ${registry.url}: ${why}`,
    {
      hint: 'Run the command again; what has arrived whole is kept.',
      cause: error,
    },
  );
}
