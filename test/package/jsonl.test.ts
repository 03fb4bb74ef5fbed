/** Hostile and broken package lists are refused with the line or the key at fault. */
import { describe, expect, it } from 'vitest';
import { formatJsonl, parseJsonl } from '../../src/package/jsonl.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { streamOf } from '../../src/store/digest.ts';
import { samplePackage } from '../support/sample-packages.ts';

const HEADER = '{"version": "v0", "message": null}';

const FIELDS = {
  logical_key: '"a"',
  physical_keys: '["s3://b/k"]',
  size: '1',
  hash: '{"type": "SHA256", "value": "ab"}',
  meta: '{}',
};

/** An entry's line; `undefined` leaves a field out. */
function line(changes: Partial<Record<keyof typeof FIELDS, string | undefined>> = {}): string {
  const fields = Object.entries({ ...FIELDS, ...changes })
    .filter(([, json]) => json !== undefined)
    .map(([name, json]) => `"${name}": ${String(json)}`);
  return `{${fields.join(', ')}}`;
}

function keyLine(key: string): string {
  return line({ logical_key: JSON.stringify(key) });
}

async function* pieces(data: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < data.length; start += pieceBytes) {
    yield await Promise.resolve(data.subarray(start, start + pieceBytes));
  }
}

async function refusal(bytes: AsyncIterable<Uint8Array>): Promise<PkgError> {
  const outcome: unknown = await parseJsonl(bytes, 'list').catch((thrown: unknown) => thrown);
  if (outcome instanceof PkgError) return outcome;
  throw new Error(`was not refused by a PkgError: ${String(outcome)}`);
}

describe('parseJsonl', () => {
  it('reads a list whose lines are as they should be', async () => {
    const pkg = await parseJsonl(streamOf(`${HEADER}\n${line()}\n`), 'list');
    expect(pkg.entries).toEqual([
      {
        logicalKey: 'a',
        physicalKey: 's3://b/k',
        size: 1n,
        sizeBytes: 1,
        hash: { type: 'SHA256', value: 'ab' },
        meta: new Map(),
      },
    ]);
  });

  it.each([
    ['..', '"../evil" climbs'],
    ['a/../../evil', 'a part in the middle climbs'],
    ['/etc/passwd', 'an absolute path'],
    ['a//b', 'an empty part'],
    ['./a', 'a "." part'],
    ['a/.', 'a "." at the end'],
    ['a/', 'a "/" at the end, with bytes'],
    ['', 'an empty key'],
    ['a\0b', 'a NUL'],
  ])('refuses the logical key %j: %s', async (key) => {
    const error = await refusal(streamOf(`${HEADER}\n${keyLine(key)}\n`));
    expect(error.code).toBe('integrity');
    expect(error.message).toContain(JSON.stringify(key));
  });

  it.each([
    [['a', 'a'], 'a'],
    [['a', 'a/b'], 'a'],
    [['d/x/y', 'd/x'], 'd/x'],
  ])('refuses the keys %j together', async (keys, named) => {
    const error = await refusal(streamOf(`${HEADER}\n${keys.map(keyLine).join('\n')}\n`));
    expect(error.code).toBe('integrity');
    expect(error.message).toContain(JSON.stringify(named));
  });

  it('accepts keys that only look alike', async () => {
    const keys = ['a', 'a b', 'ab/c', 'e\u0301', '\u00e9', '..a', 'a..', '...'];
    const list = [HEADER, ...keys.map(keyLine)].join('\n');
    expect((await parseJsonl(streamOf(list), 'list')).entries).toHaveLength(keys.length);
  });

  it.each([
    ['a blank line', ''],
    ['a line of spaces', '  '],
    ['an array', '[]'],
    ['a text', '"a"'],
    ['half a line', line().slice(0, 40)],
    ['two values on a line', `${line()} ${line()}`],
    ['NaN as a size', line({ size: 'NaN' })],
    ['NaN in metadata', line({ meta: '{"x": NaN}' })],
    ['Infinity in metadata', line({ meta: '{"x": Infinity}' })],
    ['a number that is too large for a float', line({ meta: '{"x": 1e999}' })],
    ['a negative size', line({ size: '-1' })],
    ['a fractional size', line({ size: '1.5' })],
    ['a size over 2^53', line({ size: '9007199254740993' })],
    ['a size over 2^53 as a float', line({ size: '1e300' })],
    ['a size in quotes', line({ size: '"1"' })],
    ['no size', line({ size: undefined })],
    ['no hash', line({ hash: undefined })],
    ['a null hash', line({ hash: 'null' })],
    ['a hash without a value', line({ hash: '{"type": "SHA256"}' })],
    ['no physical key', line({ physical_keys: '[]' })],
    ['a physical key that is no text', line({ physical_keys: '[1]' })],
    ['no metadata', line({ meta: undefined })],
    ['metadata that is a text', line({ meta: '"x"' })],
    ['no logical key', line({ logical_key: undefined })],
    ['metadata nested 100,000 deep', line({ meta: `{"x": ${'['.repeat(100_000)}` })],
    ['closed metadata nested 10,000 deep', line({ meta: deep(10_000) })],
    ['a raw control character in a text', line({ logical_key: '"a\u0001"' })],
  ])('refuses %s, and names the line', async (_, bad) => {
    const list = `${HEADER}\n${keyLine('first')}\n${bad}\n${keyLine('last')}\n`;
    const error = await refusal(streamOf(list));
    expect(error.code).toBe('integrity');
    expect(error.message).toMatch(/^list:3: /);
  });

  it.each([1, 7, 1000])(
    'reads Windows line ends and a last line without one, in pieces of %i',
    async (size) => {
      const keys = ['a', 'b', 'é'];
      const list = Buffer.from([HEADER, ...keys.map(keyLine)].join('\r\n'));
      const { entries } = await parseJsonl(pieces(list, size), 'list');
      expect(Array.from(entries, ({ logicalKey }) => logicalKey)).toEqual(keys);
    },
  );

  it('names the first line at fault, where later ones are not UTF-8 or too long', async () => {
    const long = line({ meta: `{"x": "${'x'.repeat(1_100_000)}"}` });
    const list = Buffer.concat([
      Buffer.from(`${HEADER}\n${keyLine('a')}\n{}\n${long}\n`),
      Buffer.from([0xff, 0x0a]),
    ]);
    for (const size of [1000, 1 << 20, list.length]) {
      expect((await refusal(pieces(list, size))).message).toMatch(/^list:3: expected/);
    }
  });

  it('refuses an empty list', async () => {
    const nothing = pieces(Buffer.alloc(0), 1);
    expect((await refusal(nothing)).message).toContain('empty');
  });

  it('refuses a byte order mark', async () => {
    expect((await refusal(streamOf(`\ufeff${HEADER}\n`))).message).toMatch(/^list:1: /);
  });

  it('refuses bytes that are not UTF-8, in whatever pieces they come', async () => {
    const broken = Buffer.concat([
      Buffer.from(`${HEADER}\n{"logical_key": "`),
      Buffer.from([0xff, 0xc3]),
      Buffer.from('"}\n'),
    ]);
    for (const pieceBytes of [1, 7, 1000]) {
      expect((await refusal(pieces(broken, pieceBytes))).message).toBe('list:2: not UTF-8');
    }
  });

  it.each([1 << 20, 65_536, 4_000_000])(
    'refuses a line of over 1,000,000 bytes that comes in pieces of %i bytes',
    async (pieceBytes) => {
      const long = line({ meta: `{"x": "${'x'.repeat(1_100_000)}"}` });
      const list = Buffer.from(`${HEADER}\n${keyLine('b')}\n${long}\n${keyLine('c')}\n`);
      const error = await refusal(pieces(list, pieceBytes));
      expect(error.code).toBe('integrity');
      expect(error.message).toBe('list:3: a line of over 1,000,000 bytes');
    },
  );

  it('refuses a line of over 1,000,000 bytes without waiting for its end', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; given < 100; given++) yield await Promise.resolve(Buffer.alloc(65_536, '['));
    }
    expect((await refusal(endless())).message).toContain('a line of over 1,000,000 bytes');
    expect(given).toBeLessThan(20);
  });

  it('accepts a line of nearly 1,000,000 bytes', async () => {
    const long = line({ meta: `{"x": "${'x'.repeat(999_000)}"}` });
    const pkg = await parseJsonl(streamOf(`${HEADER}\n${long}\n`), 'list');
    expect(pkg.entries).toHaveLength(1);
  });

  it('keeps an object key named __proto__ a mere key', async () => {
    const list = `${HEADER}\n${line({ meta: '{"__proto__": {"polluted": true}}' })}\n`;
    const pkg = await parseJsonl(streamOf(list), 'list');
    expect([...([...pkg.entries][0]?.meta.keys() ?? [])]).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect([...formatJsonl(pkg)].join('')).toBe(list);
  });
});

describe('formatJsonl', () => {
  it('writes header first, then entries in hashing order, each on a line of its own', () => {
    const { pkg } = samplePackage({ 'b c': '1', 'b/c': '2', a: '3\n' }, 'two\nlines');
    const lines = [...formatJsonl(pkg)].join('').split('\n');
    expect(lines.pop()).toBe('');
    const values = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(values.map((value) => value['logical_key'])).toEqual([undefined, 'a', 'b/c', 'b c']);
    expect(values[0]).toEqual({ version: 'v0', message: 'two\nlines' });
  });
});

function deep(levels: number): string {
  return `{"x": ${'['.repeat(levels)}${']'.repeat(levels)}}`;
}
