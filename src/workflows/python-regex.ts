/** Python's regular expressions, which Quilt's rules are written in, as JavaScript's. */

/** Longer patterns are refused: compiling one costs time and memory beyond any rule's worth. */
const MAX_PATTERN_LENGTH = 1000;

const WORD = '\\p{L}\\p{N}_';
const WHITE_SPACE =
  '\\u{9}-\\u{d}\\u{1c}-\\u{20}\\u{85}\\u{a0}\\u{1680}\\u{2000}-\\u{200a}\\u{2028}\\u{2029}\\u{202f}\\u{205f}\\u{3000}';

/** Sets that a letter behind a backslash stands for, as the inside of a class. */
const SETS: Readonly<Record<string, string>> = {
  d: '[\\p{Nd}]',
  D: '[^\\p{Nd}]',
  s: `[${WHITE_SPACE}]`,
  S: `[^${WHITE_SPACE}]`,
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
};

const PLACES: Readonly<Record<string, string>> = {
  A: '^',
  Z: '$',
  b: `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`,
  B: `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`,
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The digits that `\x`, `\u` and `\U` need. */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Groups that both languages spell alike, or of which only the name is spelt apart. */
const GROUPS: readonly (readonly [RegExp, string])[] = [
  [/\(\?(?::|=|!|<=|<!)/y, '$&'],
  [/\(\?P<([A-Za-z_]\w*)>/y, '(?<$1>'],
  [/\(\?P=([A-Za-z_]\w*)\)/y, '\\k<$1>'],
  [/\(\?#[^)]*\)/y, ''],
  [/\((?!\?)/y, '('],
];

/**
 * The expression that finds what Python's `re` finds with the pattern in a text, by a search. Words,
 * digits and white space are Unicode's, `$` also stands before a last line end.
 * Source: https://docs.python.org/3.13/library/re.html
 * @throws Error that says what is wrong with the pattern, or what of Python's language is missing here.
 */
export function pythonRegExp(pattern: string): RegExp {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new Error(`it is longer than ${String(MAX_PATTERN_LENGTH)} characters`);
  }
  const [start = '', letters = ''] = /^\(\?([a-zA-Z]+)\)/.exec(pattern) ?? [];
  const unknown = /[^isu]/.exec(letters);
  if (unknown !== null) throw new Error(`the flag "${unknown[0]}" is not supported`);
  const translator = new Translator(pattern.slice(start.length), letters.includes('s'));
  const source = translator.translate();
  try {
    return new RegExp(source, letters.includes('i') ? 'iv' : 'v');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error('it is not a regular expression, or not one that is supported', {
      cause: error,
    });
  }
}

class Translator {
  readonly #text: string;
  readonly #dot: string;
  #offset = 0;

  constructor(text: string, dotMatchesAll: boolean) {
    this.#text = text;
    this.#dot = dotMatchesAll ? '[\\p{Any}]' : '[^\\n]';
  }

  translate(): string {
    let source = '';
    while (this.#offset < this.#text.length) source += this.#item();
    return source;
  }

  #item(): string {
    const character = this.#peek();
    switch (character) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#class();
      case '(':
        return this.#group();
      case '{':
        return this.#counts();
      case '.':
        return this.#take(this.#dot);
      case '$':
        return this.#take('(?=\\n?$)');
      case '^':
      case ')':
      case '|':
      case '*':
      case '+':
      case '?':
        return this.#take(character);
      case undefined:
      default:
        return literal(this.#character());
    }
  }

  #group(): string {
    for (const [spelling, replacement] of GROUPS) {
      const found = this.#match(spelling);
      if (found !== undefined) return found[0].replace(new RegExp(spelling.source), replacement);
    }
    const found = this.#text.slice(this.#offset, this.#offset + 4);
    throw new Error(`a group that begins with "${found}" is not supported`);
  }

  /** `{2,3}` and the like; other braces are themselves. */
  #counts(): string {
    const found = this.#match(/\{(?!\})(\d*)(,?)(\d*)\}/y);
    if (found === undefined) return literal(this.#character());
    const [, least = '', comma = '', most = ''] = found;
    return `{${least === '' ? '0' : least}${comma}${most}}`;
  }

  #escape(): string {
    const letter = this.#text[this.#offset + 1] ?? '';
    const place = PLACES[letter];
    if (place !== undefined) return this.#take(place, 2);
    const reference = this.#match(/\\(?![0-3][0-7]{2})([1-9]\d?)/y);
    if (reference !== undefined) return `(?:\\${reference[1] ?? ''})`;
    return this.#set() ?? literal(this.#escapedCharacter());
  }

  #class(): string {
    this.#offset++;
    const negated = this.#match(/\^/y) !== undefined;
    let source = '';
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) throw new Error('a "[" is not closed');
      source += this.#set() ?? this.#range();
    }
    this.#offset++;
    return `[${negated ? '^' : ''}${source}]`;
  }

  #range(): string {
    const from = this.#classCharacter();
    if (this.#match(/-(?!\]|$)/y) === undefined) return literal(from);
    if (this.#set() !== undefined) throw new Error('a range ends with a set');
    return `${literal(from)}-${literal(this.#classCharacter())}`;
  }

  #classCharacter(): number {
    if (this.#match(/\\b/y) !== undefined) return 8;
    return this.#peek() === '\\' ? this.#escapedCharacter() : this.#character();
  }

  #set(): string | undefined {
    if (this.#peek() !== '\\') return undefined;
    const set = SETS[this.#text[this.#offset + 1] ?? ''];
    return set === undefined ? undefined : this.#take(set, 2);
  }

  #escapedCharacter(): number {
    const octal = this.#match(/\\(0[0-7]{0,2}|[0-3][0-7]{2})/y);
    if (octal !== undefined) return Number.parseInt(octal[1] ?? '', 8);
    this.#offset++;
    const letter = this.#peek() ?? '';
    const control = CONTROLS[letter];
    if (control !== undefined) return Number(this.#take(String(control)));
    const digits = HEX_DIGITS[letter];
    if (digits !== undefined) {
      const hex = this.#match(new RegExp(`.([0-9a-fA-F]{${String(digits)}})`, 'y'))?.[1];
      if (hex !== undefined) return Number.parseInt(hex, 16);
    }
    if (/^[A-Za-z0-9]?$/.test(letter)) throw new Error(`"\\${letter}" is not supported`);
    return this.#character();
  }

  #peek(): string | undefined {
    return this.#text[this.#offset];
  }

  #take(source: string, length = 1): string {
    this.#offset += length;
    return source;
  }

  #character(): number {
    const point = this.#text.codePointAt(this.#offset) ?? 0;
    this.#offset += point > 0xffff ? 2 : 1;
    return point;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#offset = pattern.lastIndex;
    return found;
  }
}

function literal(point: number): string {
  const character = String.fromCodePoint(Math.min(point, 0x10ffff));
  return /^[A-Za-z0-9]$/.test(character) ? character : `\\u{${point.toString(16)}}`;
}
