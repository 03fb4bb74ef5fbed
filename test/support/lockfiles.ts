/** Lockfiles for tests: one by hand, and random ones. */
import fc from 'fast-check';
import type { Lockfile, PinnedSources } from '../../src/lockfile/lockfile.ts';
import { parseLockfile } from '../../src/lockfile/lockfile.ts';
import { digestOf } from '../../src/store/digest.ts';

/** A plain lockfile with all optional parts; typed by being parsed. */
export function someLockfile(): Lockfile {
  const source = (url: string) => ({ url, digest: digestOf(url), sizeBytes: url.length });
  return parseLockfile(
    JSON.stringify({
      lockfileVersion: 1,
      name: 'user/name',
      manifest: digestOf('manifest'),
      toolchain: { sharp: '0.35.5', duckdb: '1.5.6', crop: '1' },
      parameters: {
        query: { classes: ['Apple', 'Orange'], descendants: false },
        crop: { format: 'jpeg', quality: 92 },
        seed: 7,
      },
      sources: {
        classes: source('https://host/classes.csv'),
        boxes: [{ ...source('https://host/boxes.csv'), etag: '"b1"' }],
        images: [source('https://host/train.csv'), source('https://host/test.csv')],
        hierarchy: { ...source('https://host/tree.json'), etag: 'W/"h1"' },
      },
      fetch: {
        record: { digest: digestOf('record'), sizeBytes: 6 },
        images: 2,
        exceptions: { image1: 'missing', image2: `changed ${digestOf('other')}` },
      },
    }),
    'test.lock.json',
  );
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,11}$/);
const sizeBytes = fc.maxSafeNat();
const digest = text.map((content) => digestOf(content));

/** Objects whose keys no JavaScript object has by nature. */
const record = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(
    word.filter((key) => !(key in {})),
    value,
    { maxKeys: 4, noNullPrototype: true },
  );

const source = fc.record(
  { url: text.filter((url) => url !== ''), digest, sizeBytes, etag: text },
  { requiredKeys: ['url', 'digest', 'sizeBytes'], noNullPrototype: true },
);

const commit = digest.map((text) => text.slice(0, 40));

const descriptor = { digest, sizeBytes };

const nonEmpty = text.filter((value) => value !== '');

const code = fc.record(
  {
    repository: nonEmpty,
    revision: nonEmpty,
    commit,
    dirty: fc.constant(true as const),
    tar: fc.record(descriptor, { noNullPrototype: true }),
  },
  { requiredKeys: ['repository', 'revision', 'commit', 'tar'], noNullPrototype: true },
);

const bases = fc.array(
  fc.record(
    { use: fc.constantFrom('data', 'model'), name: nonEmpty, topHash: digest, path: nonEmpty },
    { requiredKeys: ['use', 'name', 'topHash'], noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 2 },
);

const environment = fc.record(
  {
    node: fc.constantFrom('20.20.2', '22.1.0'),
    lockfile: fc.record(
      { path: nonEmpty, ...descriptor, lockfileVersion: fc.constantFrom(2, 3) },
      { noNullPrototype: true },
    ),
    dockerfile: fc.record(
      { path: nonEmpty, ...descriptor, baseImages: fc.array(nonEmpty, { maxLength: 2 }) },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const sources = fc.array(source, { minLength: 1, maxLength: 3 });

/** Any value as JSON has it, which knows no -0, without the key that every object has by nature. */
const json = fc
  .jsonValue({ maxDepth: 2, stringUnit: 'grapheme' })
  .map((value) => JSON.stringify(value))
  .filter((written) => !written.includes('"__proto__"'))
  .map((written): unknown => JSON.parse(written));

/** Values of any valid lockfile. */
export const lockfileValues = fc.record(
  {
    lockfileVersion: fc.constant(1 as const),
    name: text,
    manifest: digest,
    toolchain: record(text),
    parameters: record(fc.oneof(json, record(fc.oneof(text, fc.integer(), fc.boolean())))),
    sources: fc.record(
      { classes: source, boxes: sources, images: sources, hierarchy: source },
      { requiredKeys: ['classes', 'boxes', 'images'], noNullPrototype: true },
    ),
    bases,
    code,
    environment,
    fetch: fc.record(
      {
        record: fc.record({ digest, sizeBytes }, { noNullPrototype: true }),
        images: fc.nat(),
        exceptions: record(text),
      },
      { noNullPrototype: true },
    ),
  },
  {
    requiredKeys: ['lockfileVersion', 'name', 'manifest', 'toolchain', 'parameters'],
    noNullPrototype: true,
  },
);

/** The pinned tables of a lockfile that has some. */
export function tablesOf({ sources }: Lockfile): PinnedSources {
  if (sources === undefined) throw new Error('the lockfile has no source tables');
  return sources;
}
