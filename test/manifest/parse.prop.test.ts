/** parseManifest on random texts: values survive YAML, places are right, nothing else is thrown. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMap, isScalar, parseDocument, stringify, type ToStringOptions, visit } from 'yaml';
import { parseManifest } from '../../src/manifest/parse.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { manifestValues } from '../support/manifest-arbitraries.ts';
import { DESIGN_EXAMPLE } from '../support/manifests.ts';

/** Styles a person or an editor may write YAML in. */
const style = fc.record({
  indent: fc.integer({ min: 2, max: 6 }),
  lineWidth: fc.constantFrom(0, 40, 80),
  defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'),
  collectionStyle: fc.constantFrom('any', 'flow', 'block'),
} as const);

/**
 * Values as YAML text. Where they hold characters beyond U+FFFF lines are not folded: yaml 2.9.1 folds
 * between the halves of such a character and writes "undefined" there.
 */
function write(values: object, options: ToStringOptions): string {
  const isFoldable = !/[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(values));
  return stringify(values, isFoldable ? options : { ...options, lineWidth: 0 });
}

/** The keys of a YAML text with the line each stands on, from 1, by the parser's own ranges. */
function keyLines(text: string): readonly (readonly [string, number])[] {
  const found: [string, number][] = [];
  visit(parseDocument(text), {
    Pair(_, pair, ancestors) {
      const above = ancestors.flatMap((node, index) => {
        const next = ancestors[index + 1] ?? pair;
        if (typeof node === 'object' && 'key' in node) return [scalarText(node.key)];
        return 'items' in node && !isMap(node) && Array.isArray(node.items)
          ? [String(node.items.indexOf(next))]
          : [];
      });
      const start = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      found.push([
        [...above, scalarText(pair.key)].join('.'),
        text.slice(0, start).split('\n').length,
      ]);
    },
  });
  return found;
}

function scalarText(node: unknown): string {
  return isScalar(node) ? String(node.value) : '?';
}

describe('parseManifest', () => {
  it('gives the values of any valid manifest back, in whatever style it is written', () => {
    fc.assert(
      fc.property(manifestValues, style, (values, options) => {
        const { manifest } = parseManifest(write(values, options), 'm.yaml');
        const lists = (urls: unknown) => (Array.isArray(urls) ? (urls as unknown[]) : [urls]);
        const { model, ...rest } = values;
        expect(manifest).toMatchObject({
          ...rest,
          data: {
            ...values.data,
            source: {
              ...values.data.source,
              boxes: lists(values.data.source.boxes),
              images: lists(values.data.source.images),
            },
          },
        });
        expect(manifest.model?.layers).toEqual(
          model?.layers.map((layer): object =>
            typeof layer === 'string'
              ? { [layer]: expect.any(Object) as object }
              : Object.fromEntries(
                  Object.entries(layer).map(([kind, settings]) => [
                    kind,
                    expect.objectContaining(settings) as object,
                  ]),
                ),
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same manifest for its own values, defaults included', () => {
    fc.assert(
      fc.property(manifestValues, (values) => {
        const { manifest } = parseManifest(write(values, {}), 'm.yaml');
        expect(parseManifest(write(manifest, {}), 'm.yaml').manifest).toEqual(manifest);
      }),
      { numRuns: 100 },
    );
  });

  it('locates every key on the line where its value begins', () => {
    fc.assert(
      fc.property(manifestValues, style, fc.nat(), (values, options, pick) => {
        const text = write(values, options);
        const source = parseManifest(text, 'm.yaml');
        const keys = keyLines(text);
        const [key = '', line = 0] = keys[pick % keys.length] ?? [];
        const located = Number(/^m\.yaml:(\d+):\d+$/.exec(source.locate(key))?.[1]);
        // A value stands on its key's line or, in block style, on a later one, before the next key.
        const next = keys.map(([, start]) => start).filter((start) => start > line);
        expect(located).toBeGreaterThanOrEqual(line);
        expect(located).toBeLessThanOrEqual(Math.min(...next, text.split('\n').length));
      }),
      { numRuns: 200 },
    );
  });

  it('refuses what it does not take as a manifest, with a place, and throws nothing else', () => {
    const pieces = [
      ...['\n', ' ', '  ', '- ', ': ', '? ', '[', ']', '{', '}', ',', '"', "'", '#', '|', '>'],
      ...['&a ', '*a', '!!str ', '!x ', '---\n', '...\n', '%YAML 1.1\n', '<<: ', '\t', '\r\n'],
      ...['version: 1', 'name', 'data', 'query', 'classes', '.nan', '0x1F', '~', 'é', '\u{1f354}'],
    ];
    const yamlish = fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })), { maxLength: 60 })
      .map((parts) => parts.join(''));
    const damaged = fc
      .tuple(fc.nat(DESIGN_EXAMPLE.length), fc.nat(20), yamlish)
      .map(([at, cut, put]) => DESIGN_EXAMPLE.slice(0, at) + put + DESIGN_EXAMPLE.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(fc.string(), yamlish, damaged), (text) => {
        try {
          parseManifest(text, 'm.yaml');
        } catch (error) {
          if (!(error instanceof PkgError)) throw error;
          expect(error.code).toBe('manifest');
          expect(error.message).toMatch(/^m\.yaml:\d+:\d+: /);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
