/** JSON without loss: integers of any size apart from floats, any object key, last duplicate wins. */

/** Integer tokens are bigints, all other numbers floats; objects are maps in order of appearance. */
export type JsonValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | readonly JsonValue[]
  | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Deeper values are refused, long before the parser's own stack would end. */
const MAX_DEPTH = 200;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses one JSON text (RFC 8259); throws a SyntaxError with the offset of what is wrong. `depth` is how
 * deep in a larger value the text stands, of the 200 levels that there may be.
 */
export function parseJson(text: string, depth = 0): JsonValue {
  const parser = new Parser(text);
  return parser.parse(depth);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

class Parser {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(depth: number): JsonValue {
    const value = this.#value(depth);
    this.#skipWhiteSpace();
    if (this.#offset < this.#text.length) throw this.#error('text after the value');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#error('nested too deeply');
    this.#skipWhiteSpace();
    const character = this.#text[this.#offset];
    switch (character) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case undefined:
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#offset++;
    if (this.#take('}')) return members;
    do {
      this.#skipWhiteSpace();
      if (this.#text[this.#offset] !== '"') throw this.#error('expected a key');
      const key = this.#string();
      if (!this.#take(':')) throw this.#error('expected ":"');
      members.set(key, this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#error('expected "," or "}"');
    return members;
  }

  #array(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#offset++;
    if (this.#take(']')) return items;
    do {
      items.push(this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#error('expected "," or "]"');
    return items;
  }

  #string(): string {
    let value = '';
    this.#offset++;
    for (;;) {
      value += this.#plainCharacters();
      const character = this.#text[this.#offset++];
      if (character === '"') return value;
      if (character !== '\\') throw this.#error('a string is not closed');
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#offset++] ?? '';
    if (letter !== 'u') {
      const character = ESCAPES[letter];
      if (character === undefined) throw this.#error('unknown escape');
      return character;
    }
    const hex = this.#text.slice(this.#offset, this.#offset + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#error('expected four hex digits');
    this.#offset += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #number(): bigint | number {
    NUMBER.lastIndex = this.#offset;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error('expected a value');
    this.#offset = NUMBER.lastIndex;
    const [token, fractionPart, exponent] = match;
    if (fractionPart === undefined && exponent === undefined) return BigInt(token);
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#error('the number is too large');
    return value;
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#offset)) throw this.#error('expected a value');
    this.#offset += word.length;
    return value;
  }

  #take(character: string): boolean {
    this.#skipWhiteSpace();
    if (this.#text[this.#offset] !== character) return false;
    this.#offset++;
    return true;
  }

  #skipWhiteSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#offset);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#offset++;
    }
  }

  #plainCharacters(): string {
    PLAIN_CHARACTERS.lastIndex = this.#offset;
    PLAIN_CHARACTERS.test(this.#text);
    const start = this.#offset;
    this.#offset = PLAIN_CHARACTERS.lastIndex;
    return this.#text.slice(start, this.#offset);
  }

  #error(what: string): SyntaxError {
    return new SyntaxError(`not JSON: ${what} at offset ${String(this.#offset)}`);
  }
}
