/** A package's list as bytes, which an install needs twice: for the folder and for the store. */
import { encodeJsonl, jsonlChunks } from '../package/jsonl.ts';
import type { Package } from '../package/package.ts';

/** Lists of more entries are encoded anew each time rather than held. */
const MAX_ENTRIES_HELD = 20_000;

const held = new WeakMap<Package, Buffer>();

/** The JSON lines of a package. */
export function* listChunks(pkg: Package): Generator<Uint8Array> {
  if (pkg.entries.length > MAX_ENTRIES_HELD) {
    yield* jsonlChunks(pkg);
    return;
  }
  const bytes = held.get(pkg) ?? encodeJsonl(pkg);
  held.set(pkg, bytes);
  yield bytes;
}
