/** Patterns for logical keys, as gitignore has them, with alternatives in braces besides. */
import { PkgError } from '../runtime/errors.ts';

/** Longer patterns are a mistake; their alternatives would multiply. */
const MAX_PATTERN_LENGTH = 4096;

const SPECIAL = /[\\^$.*+?()[\]{}|/]/;

/**
 * A test for logical keys. `*` and `?` stand for anything but `/`, `**` between slashes for any folders,
 * `[a-z]` and `[!a-z]` for one character, `{a,b}` for either, and `\` takes the meaning from the
 * character after it. A pattern without a slash, one at its end aside, is looked for in every folder;
 * one that is a folder's means all below it; a slash at its end lets it be a folder's only.
 * @throws PkgError `usage` for an empty pattern or an overlong one.
 */
export function globTest(pattern: string): (logicalKey: string) => boolean {
  const body = pattern.replace(/^\//, '').replace(/\/$/, '');
  if (body === '' || pattern.length > MAX_PATTERN_LENGTH) {
    throw new PkgError('usage', `${JSON.stringify(pattern)} is not a pattern for files`, {
      hint: "Write, for example, '*.csv', 'images/**' or 'images/{train,test}/'.",
    });
  }
  const start =
    pattern.includes('/') && pattern.indexOf('/') < pattern.length - 1 ? '' : '(?:.*/)?';
  const below = pattern.endsWith('/') ? '/.*' : '(?:/.*)?';
  const expression = new RegExp(`^${start}${new Translation(body).expression()}${below}$`, 'su');
  return (logicalKey) => expression.test(logicalKey);
}

/** One pattern on its way to a regular expression. */
class Translation {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  expression(): string {
    let expression = '';
    while (this.#at < this.#characters.length) expression += this.#next();
    return expression;
  }

  #next(): string {
    const character = this.#characters[this.#at++] ?? '';
    switch (character) {
      case '\\':
        return literal(this.#characters[this.#at++] ?? '\\');
      case '*':
        return this.#stars();
      case '?':
        return '[^/]';
      case '[':
        return this.#set() ?? literal(character);
      case '{':
        return this.#alternatives() ?? literal(character);
      default:
        return literal(character);
    }
  }

  /** `**` for whole parts of a path; other runs of stars are one. */
  #stars(): string {
    const start = this.#at - 1;
    while (this.#characters[this.#at] === '*') this.#at++;
    const isWhole = start === 0 || this.#characters[start - 1] === '/';
    if (this.#at - start !== 2 || !isWhole) return '[^/]*';
    if (this.#at === this.#characters.length) return '.*';
    if (this.#characters[this.#at] !== '/') return '[^/]*';
    this.#at++;
    return '(?:.*/)?';
  }

  /** A set; undefined where it does not close. */
  #set(): string | undefined {
    let at = this.#at;
    const isNegated = this.#characters[at] === '!' || this.#characters[at] === '^';
    if (isNegated) at++;
    const end = this.#characters.indexOf(']', at + 1);
    if (end < 0) return undefined;
    const members = setMembers(this.#characters.slice(at, end));
    this.#at = end + 1;
    if (members === '') return isNegated ? '[^/]' : '(?!)';
    return `(?!/)[${isNegated ? '^' : ''}${members}]`;
  }

  /** Alternatives, which may hold further ones; undefined where the braces do not close. */
  #alternatives(): string | undefined {
    const parts: string[] = [];
    let depth = 0;
    let start = this.#at;
    for (let at = this.#at; at < this.#characters.length; at++) {
      const character = this.#characters[at];
      if (character === '\\') at++;
      else if (character === '{') depth++;
      else if (character === ',' && depth === 0) {
        parts.push(this.#part(start, at));
        start = at + 1;
      } else if (character === '}' && depth-- === 0) {
        parts.push(this.#part(start, at));
        this.#at = at + 1;
        return `(?:${parts.join('|')})`;
      }
    }
    return undefined;
  }

  #part(start: number, end: number): string {
    return new Translation(this.#characters.slice(start, end).join('')).expression();
  }
}

/** Members of a set as a regular expression has them; ranges that run backwards are empty. */
function setMembers(members: readonly string[]): string {
  let set = '';
  for (let index = 0; index < members.length; index++) {
    const from = members[index] ?? '';
    const to = members[index + 1] === '-' ? members[index + 2] : undefined;
    if (to === undefined) {
      set += literal(from);
    } else {
      if ((from.codePointAt(0) ?? 0) <= (to.codePointAt(0) ?? 0))
        set += `${literal(from)}-${literal(to)}`;
      index += 2;
    }
  }
  return set;
}

function literal(character: string): string {
  if (character === '-') return '\\x2d';
  return SPECIAL.test(character) ? `\\${character}` : character;
}
