/** What is JSON, and the line where it stops, whatever the engine says of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonProblem } from '../../src/lockfile/json-problem.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const written = fc
  .tuple(fc.jsonValue({ stringUnit: 'binary' }), fc.nat(3))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

const tokens = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '1',
      '-0.5e+3',
      'true',
      'nul',
      '\n',
      '"',
      '\\',
      '01',
      '\ufeff',
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('findJsonProblem', () => {
  it('finds one exactly where JSON.parse does', () => {
    const damaged = fc
      .tuple(written, fc.nat(), fc.nat(4), fc.string({ maxLength: 3 }))
      .map(([text, at, cut, put]) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + put + text.slice(start + cut);
      });
    fc.assert(
      fc.property(fc.oneof(written, damaged, tokens), (text) => {
        expect(findJsonProblem(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['', 1, 'the text ends too early'],
    ['{\n"a": 1,\n}', 3, '"}" is unexpected'],
    ['[1,\n\n2', 3, 'the text ends too early'],
    ['{"a": 1}\n<<<<<<< HEAD', 2, '"<<<<<<< HEAD" is unexpected'],
    ['"a\nb"', 1, '"\\"a\\nb\\"" is unexpected'],
    ['['.repeat(200), 1, 'it is nested too deeply'],
  ])('names the line (%#)', (text, line, why) => {
    expect(findJsonProblem(text)).toEqual({ line, why });
  });

  it('takes long texts and deep nesting in its stride', () => {
    expect(findJsonProblem(JSON.stringify('x'.repeat(5_000_000)))).toBeUndefined();
    expect(findJsonProblem(`"${'\\n'.repeat(1_000_000)}`)?.line).toBe(1);
    expect(findJsonProblem('['.repeat(5_000_000))?.why).toBe('it is nested too deeply');
  });
});
