/** Reads a WebAssembly module down to its instructions: sections, imports, exports, vector and atomic codes. */

export interface WasmModule {
  readonly sections: readonly string[];
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** Codes of the instructions after the prefixes 0xfd and 0xfe. */
  readonly vector: ReadonlySet<number>;
  readonly atomic: ReadonlySet<number>;
}

const SECTIONS = [
  ...['custom', 'type', 'import', 'function', 'table', 'memory', 'global', 'export', 'start'],
  ...['element', 'code', 'data', 'data count'],
];
const CODE = 10;

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.at];
    if (value === undefined) throw new Error('the module ends in the middle');
    this.at += 1;
    return value;
  }

  /** LEB128; signed ones have the same length. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  numbers(count: number): void {
    for (let index = 0; index < count; index += 1) this.number();
  }

  name(): string {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.#bytes.subarray(this.at - length, this.at)).toString('utf8');
  }
}

export function readWasm(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes);
  reader.at = 8;
  const sections: string[] = [];
  const imports: string[] = [];
  const exports: string[] = [];
  const codes = { vector: new Set<number>(), atomic: new Set<number>() };
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    const section = SECTIONS[id] ?? String(id);
    sections.push(section);
    if (section === 'import') imports.push(...readImports(reader));
    if (section === 'export') exports.push(...readExports(reader));
    if (id === CODE) readFunctions(reader, codes);
    reader.at = end;
  }
  return { sections, imports, exports, ...codes };
}

function readImports(reader: Reader): string[] {
  return Array.from({ length: reader.number() }, () => {
    const name = `${reader.name()}.${reader.name()}`;
    if (reader.byte() !== 2) throw new Error(`${name} is no memory`);
    const flags = reader.byte();
    reader.numbers((flags & 1) + 1);
    return `${name}: ${(flags & 2) === 0 ? '' : 'shared '}memory`;
  });
}

function readExports(reader: Reader): string[] {
  return Array.from({ length: reader.number() }, () => {
    const name = reader.name();
    reader.byte();
    reader.number();
    return name;
  });
}

function readFunctions(reader: Reader, codes: { vector: Set<number>; atomic: Set<number> }): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    const end = reader.number() + reader.at;
    for (let locals = reader.number(); locals > 0; locals -= 1) {
      reader.number();
      reader.byte();
    }
    while (reader.at < end) readInstruction(reader, codes);
    if (reader.at !== end) throw new Error('a function ends in the middle of an instruction');
  }
}

/** Instructions of one byte by the number of LEB128 numbers behind them. */
function operandsOf(code: number): number {
  if (code >= 0x45 && code <= 0xc4) return 0;
  if ([0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b].includes(code)) return 0;
  if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x41, 0x42].includes(code)) return 1;
  if (code >= 0x20 && code <= 0x24) return 1;
  if (code >= 0x28 && code <= 0x3e) return 2;
  if (code === 0x3f || code === 0x40) return 1;
  throw new Error(`instruction 0x${code.toString(16)} is not known here`);
}

function readInstruction(
  reader: Reader,
  codes: { vector: Set<number>; atomic: Set<number> },
): void {
  const code = reader.byte();
  if (code === 0x43) reader.at += 4;
  else if (code === 0x44) reader.at += 8;
  else if (code === 0x0e) reader.numbers(reader.number() + 1);
  else if (code === 0xfc) readMemoryInstruction(reader);
  else if (code === 0xfd) codes.vector.add(readVectorInstruction(reader));
  else if (code === 0xfe) {
    const atomic = reader.number();
    codes.atomic.add(atomic);
    reader.numbers(atomic === 3 ? 1 : 2);
  } else reader.numbers(operandsOf(code));
}

/** Saturating truncations, and memory.copy and memory.fill. */
function readMemoryInstruction(reader: Reader): void {
  const code = reader.number();
  if (code > 7 && code !== 10 && code !== 11) {
    throw new Error(`instruction 0xfc ${String(code)} is not known here`);
  }
  if (code === 10) reader.numbers(2);
  if (code === 11) reader.numbers(1);
}

function readVectorInstruction(reader: Reader): number {
  const code = reader.number();
  const loadsOrStores = code <= 11 || code === 92 || code === 93;
  const withLane = code >= 84 && code <= 91;
  if (loadsOrStores || withLane) reader.numbers(2);
  if (withLane || (code >= 21 && code <= 34)) reader.at += 1;
  if (code === 12 || code === 13) reader.at += 16;
  return code;
}
