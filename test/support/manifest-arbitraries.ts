/** Random valid manifests, as the YAML's plain values, for property tests. */
import fc from 'fast-check';

/** Printable text that YAML may want to quote, among it what looks like other types. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== ''),
  fc.constantFrom('true', 'null', '1.5', '~', '- x', 'a: b', '#c', '"q"', "it's", ' x ', '=1', '@'),
);

const words = (...values: string[]) => fc.constantFrom(...values);
const upTo = (max: number) => fc.integer({ min: 1, max });
const share = fc.integer({ min: 0, max: 49 }).map((percent) => percent / 100);

/** Leaves out any of the keys. */
function some<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(shape, { requiredKeys: [], noNullPrototype: true });
}

const urls = fc.oneof(anyText, fc.array(anyText, { minLength: 1, maxLength: 3 }));

const layer = fc.oneof(
  words('flatten', 'globalAveragePooling2d', 'maxPooling2d'),
  fc.record({ conv2d: fc.record({ filters: upTo(64), kernelSize: upTo(7) }) }),
  fc.record({ dense: fc.record({ units: upTo(64), activation: words('relu', 'softmax') }) }),
  fc.record({ dropout: fc.record({ rate: share }) }),
);

const source = fc.record(
  { classes: anyText, boxes: urls, images: urls, hierarchy: anyText },
  { requiredKeys: ['classes', 'boxes', 'images'], noNullPrototype: true },
);

const query = fc.record(
  {
    classes: fc.array(anyText, { minLength: 1, maxLength: 4 }),
    descendants: fc.boolean(),
    where: anyText,
    imagesPerClass: upTo(1e9),
  },
  { requiredKeys: ['classes'], noNullPrototype: true },
);

const data = fc.record(
  {
    source,
    query,
    fetch: some({
      requestsPerSecond: fc.double({ min: 0.001, max: 10_000, noNaN: true }),
      concurrency: upTo(1024),
      retries: fc.integer({ min: 0, max: 100 }),
      timeoutSeconds: fc.double({ min: 0.001, max: 3600, noNaN: true }),
      maxBytes: upTo(1e12),
      missing: words('record', 'fail'),
      changed: words('keep', 'drop'),
      from: fc.array(anyText, { minLength: 1, maxLength: 2 }),
    }),
    crop: some({
      minSidePx: upTo(500),
      paddingFraction: fc.double({ min: 0, max: 10, noNaN: true }).map((value) => value + 0),
      upright: fc.boolean(),
      format: words('jpeg', 'png', 'webp'),
      quality: upTo(100),
    }),
    split: some({ validation: share, test: share }),
  },
  { requiredKeys: ['source', 'query'], noNullPrototype: true },
);

/** A valid manifest's values, some optional keys left out. */
export const manifestValues = fc.record(
  {
    version: fc.constant(1),
    name: fc.stringMatching(/^[A-Za-z0-9_-]{1,12}\/[A-Za-z0-9_-]{1,12}$/),
    description: anyText,
    license: anyText,
    data,
    code: fc.record({ repository: anyText, revision: anyText }, { noNullPrototype: true }),
    environment: some({ node: anyText, lockfile: anyText, dockerfile: anyText }),
    model: fc.record(
      { layers: fc.array(layer, { minLength: 1, maxLength: 5 }) },
      { noNullPrototype: true },
    ),
    seed: fc.maxSafeNat(),
  },
  { requiredKeys: ['version', 'name', 'data'], noNullPrototype: true },
);
