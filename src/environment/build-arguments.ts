/** The build arguments of a Dockerfile, filled into the texts that use them. */

/** Longer than any name of an image; nested defaults would otherwise grow without end. */
const MAX_LENGTH = 4096;

/** Defaults within defaults; nobody writes three. */
const MAX_DEPTH = 10;

/** What the builder itself sets, by the machine that it builds for. */
const SET_BY_BUILDER = /^(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)$|^TARGETSTAGE$/;

/** Arguments by name; undefined where they are declared without a default. */
export type BuildArguments = ReadonlyMap<string, string | undefined>;

/** A text with its arguments filled in, or why that cannot be done. */
export type Expansion = { readonly text: string } | { readonly problem: string };

/**
 * Fills `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` (each also without the colon) into a text
 * and removes its quotes, as a builder does that was given no arguments.
 */
export function expandArguments(text: string, known: BuildArguments, depth = 0): Expansion {
  if (depth > MAX_DEPTH) return { problem: 'it nests defaults too deeply' };
  let expanded = '';
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'") {
      at++;
      continue;
    }
    if (character !== '$') {
      expanded += character;
      at++;
      continue;
    }
    const use = readUse(text, at);
    if (use === undefined)
      return { problem: `${text.slice(at, at + 80)} is no use of an argument` };
    const value = valueOf(use, known, depth);
    if ('problem' in value) return value;
    expanded += value.text;
    if (expanded.length > MAX_LENGTH) return { problem: 'it is too long' };
    at = use.end;
  }
  return { text: expanded };
}

interface ArgumentUse {
  readonly name: string;
  /** `:-`, `-`, `:+`, `+`, or empty. */
  readonly operator: string;
  readonly word: string;
  readonly end: number;
}

function readUse(text: string, at: number): ArgumentUse | undefined {
  const plain = /^\$(\w+)/.exec(text.slice(at, at + MAX_LENGTH));
  if (plain !== null) {
    return { name: plain[1] ?? '', operator: '', word: '', end: at + plain[0].length };
  }
  const close = closingBrace(text, at + 1);
  if (close === undefined) return undefined;
  const match = /^(\w+)(?:(:?[-+])([\s\S]*))?$/.exec(text.slice(at + 2, close));
  if (match === null) return undefined;
  const [, name = '', operator = '', word = ''] = match;
  return { name, operator, word, end: close + 1 };
}

function closingBrace(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}') depth--;
    if (depth === 0) return text[at] === '}' ? at : undefined;
  }
  return undefined;
}

function valueOf(
  { name, operator, word }: ArgumentUse,
  known: BuildArguments,
  depth: number,
): Expansion {
  if (SET_BY_BUILDER.test(name)) {
    return { problem: `${name} is known only to the machine that builds` };
  }
  const value = known.get(name);
  const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
  if (operator.endsWith('+')) return isSet ? expandArguments(word, known, depth + 1) : { text: '' };
  if (isSet) return { text: value };
  if (operator.endsWith('-')) return expandArguments(word, known, depth + 1);
  return { problem: `the build argument ${name} has no default` };
}
