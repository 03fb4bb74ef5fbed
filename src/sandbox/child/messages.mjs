/** Requests in on standard input, answers out on another pipe: a header as JSON, and bytes. */
import files from 'node:fs';

/** Taken before they are closed to everyone else. */
const { readSync, writeSync } = files;

const REQUESTS = 0;
const ANSWERS = 3;

/** The header's length and the body's, each 4 bytes, little-endian. */
const PREFIX_BYTES = 8;

const { parse, stringify } = JSON;

/** Waits for a request, and nothing else happens meanwhile; undefined where there will be none. */
export function readRequest() {
  const prefix = readBytes(PREFIX_BYTES);
  if (prefix === undefined) return undefined;
  const view = new DataView(prefix.buffer);
  const header = readBytes(view.getUint32(0, true));
  const body = readBytes(view.getUint32(4, true));
  if (header === undefined || body === undefined) return undefined;
  return { header: parse(Buffer.from(header.buffer).toString('utf8')), body: body.buffer };
}

export function writeAnswer(header, body = new Uint8Array(0)) {
  const text = Buffer.from(stringify(header), 'utf8');
  const prefix = new DataView(new ArrayBuffer(PREFIX_BYTES));
  prefix.setUint32(0, text.length, true);
  prefix.setUint32(4, body.byteLength, true);
  for (const part of [new Uint8Array(prefix.buffer), text, body]) writeBytes(part);
}

/** Bytes in a buffer of their own; undefined where the pipe ends before. */
function readBytes(length) {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const count = retry(() => readSync(REQUESTS, bytes, filled, length - filled));
    if (count === 0) return undefined;
    filled += count;
  }
  return bytes;
}

function writeBytes(bytes) {
  for (let written = 0; written < bytes.byteLength; ) {
    const start = written;
    written += retry(() => writeSync(ANSWERS, bytes, start, bytes.byteLength - start));
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** A pipe may be of the kind that says so when it is empty or full. */
function retry(work) {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
