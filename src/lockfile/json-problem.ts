/** Where a text stops being JSON (RFC 8259), on every engine in the same words. */

export interface JsonProblem {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

/** Far deeper than any lockfile, and far from any parser's stack. */
const MAX_DEPTH = 100;

const SPACE = /[ \t\r\n]*/y;

const WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

const PLAIN = /[^"\\\u0000-\u001f]*/y;

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** What may come next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end';

/** The first place that is no JSON, or is nested too deeply; undefined where the text is JSON. */
export function findJsonProblem(text: string): JsonProblem | undefined {
  const open: string[] = [];
  let expected: Expected = 'value';
  let offset = 0;
  const problem = (why: string): JsonProblem => ({
    line: text.slice(0, offset).split('\n').length,
    why,
  });
  for (;;) {
    offset = endOf(SPACE, text, offset) ?? offset;
    const end = tokenEnd(text, offset);
    const ended = offset === text.length;
    if (ended && open.length === 0 && expected === 'comma or end') return undefined;
    const next: Expected | undefined =
      end === undefined ? undefined : step(sortOf(text[offset]), expected, open);
    if (end === undefined || next === undefined) {
      return ended
        ? problem('the text ends too early')
        : problem(`${excerpt(text, offset)} is unexpected`);
    }
    if (open.length > MAX_DEPTH) return problem('it is nested too deeply');
    [offset, expected] = [end, next];
  }
}

function excerpt(text: string, offset: number): string {
  return JSON.stringify(text.slice(offset, offset + 12));
}

/** A bracket or separator itself, or what kind of value a character begins. */
function sortOf(character = ''): string {
  if (character !== '' && '[]{},:'.includes(character)) return character;
  return character === '"' ? 'text' : 'scalar';
}

/** The end of the token that begins at an offset; undefined where none does. */
function tokenEnd(text: string, offset: number): number | undefined {
  const sort = sortOf(text[offset]);
  if (sort === 'scalar') return endOf(WORD, text, offset);
  if (sort !== 'text') return offset + 1;
  let end = offset + 1;
  for (;;) {
    end = endOf(PLAIN, text, end) ?? end;
    if (text[end] === '"') return end + 1;
    const escaped = endOf(ESCAPE, text, end);
    if (escaped === undefined) return undefined;
    end = escaped;
  }
}

/** Where a match that begins at an offset ends. */
function endOf(pattern: RegExp, text: string, offset: number): number | undefined {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** What may follow a token of a sort; keeps `open`, the brackets that are not closed yet. */
function step(sort: string, expected: Expected, open: string[]): Expected | undefined {
  const isValue = expected === 'value' || expected === 'value or ]';
  const isKey = expected === 'key' || expected === 'key or }';
  switch (sort) {
    case '[':
    case '{':
      if (!isValue) return undefined;
      open.push(sort);
      return sort === '[' ? 'value or ]' : 'key or }';
    case ']':
    case '}':
      if (expected !== 'comma or end' && expected !== (sort === ']' ? 'value or ]' : 'key or }'))
        return undefined;
      return open.pop() === (sort === ']' ? '[' : '{') ? 'comma or end' : undefined;
    case ':':
      return expected === 'colon' ? 'value' : undefined;
    case ',':
      if (expected !== 'comma or end' || open.length === 0) return undefined;
      return open.at(-1) === '[' ? 'value' : 'key';
    case 'text':
      return isKey ? 'colon' : isValue ? 'comma or end' : undefined;
    default:
      return isValue ? 'comma or end' : undefined;
  }
}
