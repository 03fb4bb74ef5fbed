/** The rules of a `.quiltignore`, read the way quilt3 reads them: Python's fnmatch on whole paths. */

/**
 * A pattern for each rule. They are not gitignore's: each line that is not empty is the shell pattern
 * after `*` and a slash, matched against an absolute path, and `*` also matches `/`.
 */
export function parseQuiltIgnore(text: string): readonly RegExp[] {
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => line !== '')
    .map((line) => new RegExp(`^${shellPattern(`*/${line}`)}$`, 'su'));
}

/** Whether a path, a folder's with a `/` at its end, falls under a rule. */
export function isIgnored(path: string, rules: readonly RegExp[]): boolean {
  return rules.some((rule) => rule.test(path) || rule.test(path.replace(/\/$/, '')));
}

/** A regular expression for a shell pattern (Python's `fnmatch.translate`). */
function shellPattern(pattern: string): string {
  const characters = Array.from(pattern);
  let expression = '';
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    const end = character === '[' ? endOfSet(characters, index + 1) : -1;
    if (character === '*') expression += '.*';
    else if (character === '?') expression += '.';
    else if (end < 0) expression += literal(character);
    else {
      expression += characterSet(characters.slice(index + 1, end));
      index = end;
    }
  }
  return expression;
}

/** Where a set that opens before `start` closes; a `]` at its beginning is a member. */
function endOfSet(characters: readonly string[], start: number): number {
  const first = characters[start] === '!' ? start + 1 : start;
  return characters.indexOf(']', characters[first] === ']' ? first + 1 : first);
}

/** A set of characters and ranges; `!` in front negates, a range that runs backwards is empty. */
function characterSet(members: readonly string[]): string {
  const negated = members[0] === '!';
  const listed = negated ? members.slice(1) : members;
  let set = '';
  for (let index = 0; index < listed.length; index++) {
    const from = listed[index] ?? '';
    const to = listed[index + 1] === '-' ? listed[index + 2] : undefined;
    if (to === undefined) {
      set += literal(from);
    } else {
      if (from <= to) set += `${literal(from)}-${literal(to)}`;
      index += 2;
    }
  }
  if (set === '') return negated ? '.' : '(?!)';
  return negated ? `[^${set}]` : `[${set}]`;
}

function literal(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
