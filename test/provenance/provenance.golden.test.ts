/**
 * Provenance as in-toto and SLSA define it: the schemas are transcribed from their specifications, the text
 * was read by in-toto's own library for Python (in-toto-attestation 0.9.3, protobuf's strict JSON).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseProvenance } from '../../src/provenance/parse-provenance.ts';
import { formatProvenance } from '../../src/provenance/provenance.ts';
import { SAMPLE } from './provenances.ts';
import { validate } from './schemas.ts';

const GOLDEN = readFileSync(new URL('golden/provenance.json', import.meta.url), 'utf8');

/** A document with what stands at a path exchanged, or taken away. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const document = JSON.parse(GOLDEN) as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  let at: Record<string, unknown> = document;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return document;
}

const DEFINITION = ['predicate', 'buildDefinition'] as const;
const SOURCE = [...DEFINITION, 'resolvedDependencies', 0] as const;
const OUTPUT = ['predicate', 'runDetails', 'byproducts', 0] as const;

/** Changes that no reader may take, ours or others'. */
const BROKEN: readonly (readonly [string, readonly (string | number)[], unknown])[] = [
  ['no type', ['_type'], undefined],
  ['the statement type of before', ['_type'], 'https://in-toto.io/Statement/v0.1'],
  ['no subject', ['subject'], []],
  ['a subject without digest', ['subject', 0, 'digest'], undefined],
  ['a digest cut short', ['subject', 0, 'digest', 'sha256'], 'abc'],
  ['a digest in capitals', ['subject', 0, 'digest', 'sha256'], 'A'.repeat(64)],
  ['another predicate type', ['predicateType'], 'https://slsa.dev/provenance/v0.2'],
  ['no predicate', ['predicate'], undefined],
  ['no build definition', [...DEFINITION], undefined],
  ['no build type', [...DEFINITION, 'buildType'], undefined],
  ['no parameters', [...DEFINITION, 'externalParameters'], undefined],
  ['a list of parameters', [...DEFINITION, 'externalParameters'], []],
  ['no details of the run', ['predicate', 'runDetails'], undefined],
  ['dependencies that are no list', [...DEFINITION, 'resolvedDependencies'], {}],
  ['a source with a number for a digest', [...SOURCE, 'digest', 'sha256'], 7],
  ['a source whose digest is short', [...SOURCE, 'digest', 'sha256'], 'ab'],
  ['an output whose digest is short', [...OUTPUT, 'digest', 'sha256'], 'ab'],
];

/** What others would take, and says nothing that we could use. */
const USELESS: readonly (readonly [string, readonly (string | number)[], unknown])[] = [
  ['the build type of another tool', [...DEFINITION, 'buildType'], 'https://other.example/v1'],
  ['no toolchain', [...DEFINITION, 'internalParameters'], {}],
  ['a source without size', [...SOURCE, 'annotations'], { role: 'source' }],
  ['a source without address', [...SOURCE, 'uri'], undefined],
  ['an output without step', [...OUTPUT, 'name'], 'selection'],
  ['an output without key', [...OUTPUT, 'annotations', 'stepKey'], undefined],
  ['two subjects', ['subject', 1], { name: 'x', digest: { sha256: 'a'.repeat(64) } }],
  ['a size that is none', [...SOURCE, 'annotations', 'sizeBytes'], -1],
];

describe('the text of provenance', () => {
  it('is the golden one, byte for byte', () => {
    expect(formatProvenance(SAMPLE)).toBe(GOLDEN);
    expect(parseProvenance(GOLDEN, 'golden')).toEqual(SAMPLE);
  });

  it('is what the schemas of in-toto and SLSA ask for', () => {
    expect(validate(JSON.parse(GOLDEN))).toEqual([]);
  });

  it.each(BROKEN)('with %s is refused by the schemas and by the reader', (_what, path, value) => {
    const document = changed(path, value);
    expect(validate(document)).not.toEqual([]);
    expect(() => parseProvenance(JSON.stringify(document), 'it')).toThrow(
      expect.objectContaining({ code: 'integrity' }),
    );
  });

  it.each(USELESS)('with %s is refused by the reader', (_what, path, value) => {
    expect(() => parseProvenance(JSON.stringify(changed(path, value)), 'it')).toThrow(
      'it is not the provenance of a package: ',
    );
  });

  it('may have more in it, as in-toto asks readers to allow', () => {
    const more = [
      changed(['predicate', 'runDetails', 'metadata'], { startedOn: '2026-01-01T00:00:00Z' }),
      changed([...SOURCE, 'mediaType'], 'text/csv'),
      changed([...DEFINITION, 'resolvedDependencies', 99], undefined),
      changed([...OUTPUT, 'annotations', 'other'], 1),
    ];
    for (const document of more) {
      expect(parseProvenance(JSON.stringify(document), 'it')).toEqual(SAMPLE);
    }
  });
});

describe('hostile provenance', () => {
  const refused = (text: string) => () => parseProvenance(text, 'it');
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  it('is refused for its size and its depth', () => {
    expect(refused(`"${'x'.repeat(5 << 20)}"`)).toThrow('it is over 4 MiB');
    expect(refused(nested(1_000_000))).toThrow('nested more than 64 deep');
    expect(refused('['.repeat(1_000_000))).toThrow('it is not JSON');
    const deep = GOLDEN.replace('"seed": 42', `"seed": ${nested(100_000)}`);
    expect(refused(deep)).toThrow('nested more than 64 deep');
  });

  it('is refused where something stands twice that there is one of', () => {
    const document = changed([], undefined) as {
      predicate: {
        buildDefinition: { resolvedDependencies: unknown[] };
        runDetails: { byproducts: unknown[] };
      };
    };
    const { resolvedDependencies } = document.predicate.buildDefinition;
    resolvedDependencies.push(resolvedDependencies[2]);
    expect(refused(JSON.stringify(document))).toThrow('has the role fetch-record 2 times');
    resolvedDependencies.pop();
    document.predicate.runDetails.byproducts.push(document.predicate.runDetails.byproducts[0]);
    expect(refused(JSON.stringify(document))).toThrow('byproducts name query/selection twice');
  });

  it('reaches no prototype', () => {
    const text = GOLDEN.replace('"seed": 42', '"__proto__": { "polluted": true }');
    parseProvenance(text, 'it');
    expect({}).not.toHaveProperty('polluted');
  });
});
