/** Mending: what every repair of a registry's file is given. */

import type { Segments } from '../inspection/segments.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage, Upload, WriteCondition, WriteOutcome } from '../storage/storage.ts';
import { ALWAYS } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import type { ByteSources } from './byte-sources.ts';

export interface MendContext {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly from: readonly Storage[];
  readonly store: Store | undefined;
  readonly sources: ByteSources;
  readonly segments: Segments;
  /** Whether anything is written, or only looked for. */
  readonly mode: 'write' | 'look';
}

/** Writes what was found, unless that is only looked for. */
export async function put(
  { storage, mode }: MendContext,
  key: string,
  upload: Upload,
  condition: WriteCondition = ALWAYS,
): Promise<WriteOutcome> {
  return mode === 'look' ? 'written' : await storage.write(key, upload, condition);
}

/** Removes a damaged file that something else now stands for. */
export async function drop({ storage, mode }: MendContext, key: string): Promise<void> {
  if (mode === 'write') await storage.remove([key]);
}
