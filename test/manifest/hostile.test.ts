/** Manifests made to break the parser: each is refused as a manifest, soon and with its place. */
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/manifest/parse.ts';
import { refusal, SMALLEST } from '../support/manifests.ts';

const refuse = (text: string) => refusal(() => parseManifest(text, 'm.yaml'));

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const hostile: Readonly<Record<string, string>> = {
  'an empty file': '',
  'a comment and nothing else': '# nothing\n',
  'a list': '- 1\n- 2\n',
  'one word': 'hello',
  'a control character': 'name: a\u0000b\n',
  'an open quote': 'name: "abc\n',
  'an open bracket': `${SMALLEST}seed: [1`,
  'a tab as indentation': 'data:\n\tsource: x\n',
  'a key twice': `${SMALLEST}seed: 1\nseed: 2\n`,
  'a key twice in brackets': `${SMALLEST}code: { repository: a, repository: b }\n`,
  'a second document': `${SMALLEST}---\nversion: 1\n`,
  'an unknown alias': `${SMALLEST}seed: *nowhere\n`,
  'a tag that runs code elsewhere': `${SMALLEST}seed: !!js/function 'function () { return 1 }'\n`,
  'a Python tag': `${SMALLEST}seed: !!python/object/apply:os.system ["id"]\n`,
  'a local tag': `${SMALLEST}seed: !secret 1\n`,
  'keys that are no text': `${SMALLEST}? [a, b]\n: 1\n`,
  'a number as a key': `${SMALLEST}1: 2\n`,
  'a merge key': `base: &base { seed: 1 }\n${SMALLEST}<<: *base\n`,
  'the key __proto__': `${SMALLEST}__proto__: { seed: 7 }\n`,
  'the key __proto__ inside': `${SMALLEST}  crop: { __proto__: { quality: 3 } }\n`,
  'the key constructor': `${SMALLEST}constructor: { prototype: 1 }\n`,
  'a list that holds itself': `${SMALLEST}description: &loop [*loop]\n`,
  'a mapping that holds itself': `${SMALLEST}  crop: &loop { format: *loop }\n`,
  'many aliases': `x: &x [1]\ny: [${'*x,'.repeat(5000)}]\n`,
  'a billion laughs': lines(12, (index) =>
    index === 0 ? 'a0: &a0 lol' : `a${String(index)}: &a${String(index)} [${laughs(index)}]`,
  ),
  'two megabytes': `${SMALLEST}description: ${'x'.repeat(2_000_000)}\n`,
  'nested brackets': '['.repeat(50_000),
  'nested braces': '{a: '.repeat(50_000),
  'brackets over many lines': lines(20_000, () => '['),
  'deep indentation': lines(900, (index) => `${' '.repeat(index)}a:`),
  'lists in lists': '- '.repeat(100_000),
  'questions in questions': '? '.repeat(100_000),
  'brackets after a comment full of closing ones': `# ${']'.repeat(50_000)}\n${'['.repeat(50_000)}`,
  'brackets between quoted closing ones': '["]",'.repeat(20_000),
  'an unknown key as long as a book': `${SMALLEST}? ${'k'.repeat(30_000)}\n: 1\n`,
};

function laughs(index: number): string {
  return Array.from({ length: 10 }, () => `*a${String(index - 1)}`).join(', ');
}

describe('a hostile manifest', () => {
  it.each(Object.keys(hostile))('is refused with its place: %s', (name) => {
    const error = refuse(hostile[name] ?? '');
    expect(error.code).toBe('manifest');
    expect(error.message).toMatch(/^m\.yaml:\d+:\d+: /);
  });

  it('is refused in a sentence, not in a flood', () => {
    const error = refuse(hostile['an unknown key as long as a book'] ?? '');
    expect(error.message.length).toBeLessThan(1000);
  });

  it('changes no prototype', () => {
    refuse(hostile['the key __proto__'] ?? '');
    refuse(hostile['the key constructor'] ?? '');
    expect('seed' in {}).toBe(false);
  });

  it('may well use aliases in moderation', () => {
    const text = SMALLEST.replace('boxes: boxes.csv', 'boxes: &list [a.csv]').replace(
      'images: images.csv',
      'images: *list',
    );
    const { source } = parseManifest(text, 'm.yaml').manifest.data;
    expect(source).toMatchObject({ boxes: ['a.csv'], images: ['a.csv'] });
  });
});
