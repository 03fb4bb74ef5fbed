/** Provenance for tests: of all parts by hand, and random. */
import fc from 'fast-check';
import { parseTopHash } from '../../src/package/package.ts';
import type { ProvenanceInput } from '../../src/provenance/provenance.ts';
import { redactSecrets } from '../../src/runtime/errors.ts';
import type { Json } from '../../src/store/canonical-json.ts';
import { describe, digestOf } from '../../src/store/digest.ts';

const topHashOf = (text: string) => parseTopHash(digestOf(text));

export const SAMPLE: ProvenanceInput = {
  name: 'quilt/open_images',
  contents: topHashOf('contents'),
  parameters: {
    query: { classes: ['Hamburger', 'Sandwich'], descendants: false },
    code: { repository: 'https://github.com/quiltdata/open-images.git', revision: 'master' },
    seed: 42,
  },
  toolchain: { query: '1', sharp: '0.35.5' },
  sources: [
    {
      name: 'boxes',
      url: 'https://storage.googleapis.com/openimages/boxes.csv',
      ...describe('boxes'),
    },
    { name: 'hierarchy', url: 'sample/a tree.json', ...describe('tree') },
  ],
  fetchRecord: describe('images.csv'),
  code: {
    repository: 'https://github.com/quiltdata/open-images.git',
    revision: 'master',
    commit: '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d',
    dirty: true,
    tar: describe('tar'),
  },
  environment: {
    node: '20.20.2',
    lockfile: { path: 'package-lock.json', ...describe('lock') },
    dockerfile: {
      path: 'Dockerfile',
      ...describe('FROM'),
      baseImages: [`docker.io/library/node:20@sha256:${digestOf('image')}`, 'debian:12'],
    },
  },
  bases: [
    { use: 'data', name: 'quilt/data', topHash: topHashOf('data') },
    { use: 'model', name: 'quilt/base', topHash: topHashOf('base'), path: 'models/model.json' },
  ],
  steps: [
    {
      name: 'query',
      key: digestOf('query'),
      inputs: { sources: digestOf('sources') },
      outputs: { selection: digestOf('selection') },
    },
    {
      name: 'fetch',
      key: digestOf('fetch'),
      inputs: { selection: digestOf('selection'), record: digestOf('images.csv') },
      outputs: { images: digestOf('images'), photos: digestOf('photos') },
    },
  ],
};

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,11}$/).filter((key) => !(key in {}));
const digest = text.map((content) => digestOf(content));
const topHash = text.map(topHashOf);
const descriptor = { digest, sizeBytes: fc.maxSafeNat() };
const record = <T>(value: fc.Arbitrary<T>, minKeys = 0) =>
  fc.dictionary(word, value, { minKeys, maxKeys: 3, noNullPrototype: true });

/** Addresses that carry no secret, of all kinds. */
const address = fc
  .oneof(text, fc.webUrl({ withQueryParameters: true, withFragments: true }))
  .filter((url) => redactSecrets(url) === url);

const json: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  .map((value) => JSON.stringify(value))
  .filter((written) => !written.includes('"__proto__"') && redactSecrets(written) === written)
  .map((written) => JSON.parse(written) as Json);

const commit = digest.chain((value) => fc.constantFrom(value.slice(0, 40), String(value)));
const file = { path: text, ...descriptor };
const plain = { noNullPrototype: true } as const;

const environment = fc
  .record(
    {
      node: text,
      lockfile: fc.record(file, plain),
      dockerfile: fc.record({ ...file, baseImages: fc.array(text, { maxLength: 3 }) }, plain),
    },
    { requiredKeys: [], ...plain },
  )
  .filter((parts) => Object.keys(parts).length > 0);

const base = fc.record(
  { use: fc.constantFrom('data' as const, 'model' as const), name: text, topHash, path: text },
  { requiredKeys: ['use', 'name', 'topHash'], ...plain },
);

const step = fc.record(
  { name: word, key: digest, inputs: record(digest), outputs: record(digest, 1) },
  plain,
);

/** Any provenance without secrets. */
export const anyProvenance: fc.Arbitrary<ProvenanceInput> = fc.record(
  {
    name: text.filter((name) => name !== ''),
    contents: topHash,
    parameters: record(json),
    toolchain: record(text),
    sources: fc.array(fc.record({ name: text, url: address, ...descriptor }, plain), {
      maxLength: 3,
    }),
    fetchRecord: fc.option(fc.record(descriptor, plain), { nil: undefined }),
    code: fc.record(
      {
        repository: address,
        revision: text,
        commit,
        dirty: fc.constant(true as const),
        tar: fc.record(descriptor, plain),
      },
      { requiredKeys: ['repository', 'revision', 'commit', 'tar'], ...plain },
    ),
    environment,
    bases: fc.array(base, { maxLength: 2 }),
    steps: fc.uniqueArray(step, { maxLength: 4, selector: ({ name }) => name }),
  },
  {
    requiredKeys: [
      ...(['name', 'contents', 'parameters', 'toolchain', 'sources'] as const),
      ...(['fetchRecord', 'bases', 'steps'] as const),
    ],
    ...plain,
  },
);
