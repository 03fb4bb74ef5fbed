/** Differences between objects, as packs hold them. */

/** A number in groups of seven bits, the lowest first; throws a plain Error where it is cut off. */
export function readDeltaSize(
  delta: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  let position = start;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = delta[position++];
    if (byte === undefined) throw new Error('a size of the delta is cut off');
    value += (byte & 0x7f) * scale;
    if ((byte & 0x80) === 0) return { value, end: position };
  }
  throw new Error('a size of the delta is too large');
}

/**
 * Applies a delta (gitformat-pack, "Deltified representation"): the sizes of base and result, then
 * commands that copy from the base or hold bytes of their own. Throws a plain Error where it does not
 * fit its base or its result is larger than `maxBytes`.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, maxBytes: number): Buffer {
  const source = readDeltaSize(delta, 0);
  const target = readDeltaSize(delta, source.end);
  if (source.value !== base.length) throw new Error('the delta is of another base');
  if (target.value > maxBytes) throw new Error('the result of the delta is too large');
  const result = Buffer.allocUnsafe(target.value);
  let position = target.end;
  let filled = 0;
  const next = () => {
    const byte = delta[position++];
    if (byte === undefined) throw new Error('the delta is cut off');
    return byte;
  };
  const take = (bytes: Uint8Array, start: number, sizeBytes: number) => {
    if (start + sizeBytes > bytes.length || filled + sizeBytes > result.length) {
      throw new Error('the delta leads out of its base or its result');
    }
    result.set(bytes.subarray(start, start + sizeBytes), filled);
    filled += sizeBytes;
  };
  while (position < delta.length) {
    const command = next();
    if (command === 0) throw new Error('the delta holds an unknown command');
    if ((command & 0x80) === 0) {
      take(delta, position, command);
      position += command;
      continue;
    }
    let start = 0;
    let sizeBytes = 0;
    for (let bit = 0; bit < 4; bit++) if (command & (1 << bit)) start += next() * 256 ** bit;
    for (let bit = 0; bit < 3; bit++) if (command & (16 << bit)) sizeBytes += next() * 256 ** bit;
    take(base, start, sizeBytes === 0 ? 0x10000 : sizeBytes);
  }
  if (filled !== result.length) throw new Error('the delta gives less than its result');
  return result;
}
