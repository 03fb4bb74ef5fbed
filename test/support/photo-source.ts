/** Asking for photos in tests: a fresh store, a client on a fake clock, pictures to serve. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { PhotoSource } from '../../src/photos/answer.ts';
import { weightLimit } from '../../src/runtime/concurrency.ts';
import { openStore } from '../../src/store/store.ts';
import { type ClientOptions, openClient } from './http-probe.ts';
import { temporaryFolder } from './temporary.ts';

export async function photoSource(
  options: ClientOptions & Partial<Pick<PhotoSource, 'maxBytes' | 'again'>> = {},
): Promise<PhotoSource> {
  const { maxBytes = 1_000_000, again = false, ...rest } = options;
  const { client, runtime } = openClient(rest);
  const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  const limits = { decoders: weightLimit(2), files: weightLimit(8) };
  return { runtime, client, store, ...limits, maxBytes, again };
}

export function md5Of(data: Uint8Array | string): string {
  return createHash('md5').update(data).digest('base64');
}

export function md5HexOf(data: Uint8Array | string): string {
  return createHash('md5').update(data).digest('hex');
}
