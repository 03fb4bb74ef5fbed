/** The structure of a TIFF file, walked without decoding. */

/** Bytes of a value of each field type (TIFF 6.0, section 2, and BigTIFF's 16 to 18). */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
  ...{ 16: 8, 17: 8, 18: 8 },
};

/** The version number that tells BigTIFF from TIFF. */
const BIG_TIFF = 43;

/** Where strips or tiles are, and how long each is. */
const OFFSET_TAGS: readonly number[] = [273, 324];
const LENGTH_TAGS: readonly number[] = [279, 325];

/** A field of a directory: where its values are, inside the entry or elsewhere. */
interface Field {
  readonly tag: number;
  readonly typeBytes: number;
  readonly count: number;
  readonly start: number;
}

/**
 * Whether all that the first directory of a TIFF file points at lies inside the file: the values of
 * its fields, and its strips or tiles. libtiff reads on without a lost field (TIFF 6.0; BigTIFF).
 */
export function isWholeTiff(data: Uint8Array): boolean {
  try {
    const read = reader(data);
    const fields = readFields(read, data.length);
    const ends = (field: Field) => field.start + field.typeBytes * field.count;
    if (fields.some((field) => ends(field) > data.length)) return false;
    const valuesOf = (tags: readonly number[]) =>
      fields.filter(({ tag }) => tags.includes(tag)).flatMap((field) => readValues(read, field));
    const offsets = valuesOf(OFFSET_TAGS);
    const lengths = valuesOf(LENGTH_TAGS);
    return (
      offsets.length > 0 &&
      offsets.every((offset, index) => offset + (lengths[index] ?? 0) <= data.length)
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The fields of the first directory; throws a RangeError where it is cut off. */
function readFields(read: Reader, sizeBytes: number): readonly Field[] {
  const isBig = read(2, 2) === BIG_TIFF;
  const pointerBytes = isBig ? 8 : 4;
  const directory = read(isBig ? 8 : 4, pointerBytes);
  const countBytes = isBig ? 8 : 2;
  const entryBytes = isBig ? 20 : 12;
  const entries = read(directory, countBytes);
  if (entries * entryBytes > sizeBytes) throw new RangeError('more fields than bytes');
  return Array.from({ length: entries }, (_, index) => {
    const entry = directory + countBytes + index * entryBytes;
    const typeBytes = TYPE_BYTES[read(entry + 2, 2)] ?? 0;
    const count = read(entry + 4, pointerBytes);
    const value = entry + 4 + pointerBytes;
    const inside = typeBytes * count <= pointerBytes;
    const start = inside ? value : read(value, pointerBytes);
    return { tag: read(entry, 2), typeBytes, count, start };
  });
}

function readValues(read: Reader, { typeBytes, count, start }: Field): readonly number[] {
  if (typeBytes === 0) return [];
  return Array.from({ length: count }, (_, index) => read(start + index * typeBytes, typeBytes));
}

/** Reads an unsigned number of 1, 2, 4 or 8 bytes in the file's own byte order. */
type Reader = (offset: number, bytes: number) => number;

function reader(data: Uint8Array): Reader {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const little = view.getUint8(0) === 0x49;
  return (offset, bytes) => {
    if (bytes === 8) return Number(view.getBigUint64(offset, little));
    if (bytes === 4) return view.getUint32(offset, little);
    return bytes === 2 ? view.getUint16(offset, little) : view.getUint8(offset);
  };
}
