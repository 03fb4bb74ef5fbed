/** What a builder saw of its host, as a statement, and what is not taken for one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTopHash } from '../../src/package/package.ts';
import {
  asBuildRecord,
  formatBuildRecord,
  parseBuildRecord,
} from '../../src/provenance/build-record.ts';
import { digestOf } from '../../src/store/digest.ts';
import { buildRecord } from '../support/build-records.ts';
import { validate } from './schemas.ts';

const RELEASE = { name: 'quilt/open_images', topHash: parseTopHash('a'.repeat(64)) };
const RECORD = buildRecord();
const TEXT = formatBuildRecord(RELEASE, RECORD);

describe('a build record', () => {
  it('is a statement of in-toto that reads back as it was', () => {
    expect(parseBuildRecord(TEXT, 'it')).toEqual({ release: RELEASE, record: RECORD });
    const isOfThePredicate = (problem: string) => /^\/predicate/.test(problem);
    expect(validate(JSON.parse(TEXT)).filter((problem) => !isOfThePredicate(problem))).toEqual([]);
    expect(TEXT.endsWith('}\n')).toBe(true);
  });

  it('has one spelling, and says nothing that is not asked for', () => {
    const turned = Object.fromEntries(Object.entries(RECORD).reverse());
    const more = { ...turned, host: { ...RECORD.host, hostname: 'ada-laptop' } };
    const again = asBuildRecord(more);
    expect(again).toEqual(RECORD);
    expect(formatBuildRecord(RELEASE, { ...RECORD, ...more })).toBe(TEXT);
    expect(TEXT).not.toContain('ada');
  });

  it.each([
    ['another statement type', 'Statement/v1', 'Statement/v2'],
    ['another predicate', 'urn:pkg:build-record:v1', 'urn:pkg:receipt:v1'],
    ['a top hash cut short', 'aaa"', 'a"'],
    ['no processors', /"cpus": \d+/, '"cpus": 0'],
    ['a time that is none', RECORD.startedAt, 'yesterday'],
    ['a time of another zone', RECORD.startedAt, '2026-01-01T00:00:00+02:00'],
    ['negative seconds', '"seconds": 1.5', '"seconds": -1'],
    ['a long text', RECORD.host.cpu, 'x'.repeat(2000)],
    ['text behind it', /$/, '}'],
  ])('with %s is refused', (_what, from, to) => {
    const changed = TEXT.replace(from, to);
    expect(changed).not.toBe(TEXT);
    expect(() => parseBuildRecord(changed, 'it')).toThrow(
      expect.objectContaining({ code: 'integrity' }),
    );
    expect(() => parseBuildRecord(changed, 'it')).toThrow('it is not a build record: ');
  });

  it('is refused with the code integrity, and not otherwise, when it is damaged', () => {
    const damage = fc.tuple(fc.nat(TEXT.length), fc.nat(30), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(damage, ([at, cut, put]) => {
        try {
          parseBuildRecord(TEXT.slice(0, at) + put + TEXT.slice(at + cut), 'it');
        } catch (error) {
          expect(error).toMatchObject({ code: 'integrity' });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('kept as JSON is taken for one only where it is one', () => {
    expect(asBuildRecord(JSON.parse(JSON.stringify(RECORD)))).toEqual(RECORD);
    const step = { name: 'x', key: digestOf('x'), seconds: 1, cached: false };
    const tooMany = { ...RECORD, steps: Array.from({ length: 300 }, () => step) };
    for (const other of [undefined, null, {}, [], 'record', tooMany]) {
      expect(asBuildRecord(other)).toBeUndefined();
    }
  });
});
