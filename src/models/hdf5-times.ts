/** The modification times that the HDF5 library stamps into a file, set to 1970. */
import { invariant } from '../runtime/errors.ts';

/**
 * Object headers of version 1, as the HDF5 File Format Specification has them in IV.A.1.a: the version,
 * a zero, how many messages there are (2 bytes), the reference count (4), the bytes of the messages
 * (4), four bytes of padding; then the messages, each with its type (2), the bytes of its data (2),
 * flags (1) and three bytes of padding. All numbers are little-endian; there are no checksums.
 */
const HEADER_BYTES = 16;
const MESSAGE_HEADER_BYTES = 8;

/** A message with version 1, three zeros, and seconds since 1970 (4 bytes); IV.A.2.s. */
const MODIFICATION_TIME = 0x0012;
const SECONDS_AT = 4;

/**
 * Sets the modification time of a data set to zero, in place.
 * @param headerAddress where its object header begins in the file.
 */
export function clearModificationTime(file: Uint8Array, headerAddress: number): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  invariant(view.getUint8(headerAddress) === 1, 'the object header has version 1');
  const start = headerAddress + HEADER_BYTES;
  const end = start + view.getUint32(headerAddress + 8, true);
  let cleared = 0;
  for (let at = start; at < end; ) {
    const data = at + MESSAGE_HEADER_BYTES;
    if (view.getUint16(at, true) === MODIFICATION_TIME) {
      view.setUint32(data + SECONDS_AT, 0, true);
      cleared += 1;
    }
    at = data + view.getUint16(at + 2, true);
  }
  // A data set without attributes has all its messages in the header's first and only block.
  invariant(cleared === 1, 'a data set has one modification time');
}
