/** The manifest: the YAML recipe a person writes for a package, as a typed value. */
import { z } from 'zod';
import { byteSize, finite, fraction, positiveInteger, text } from './fields.ts';
import { modelSchema } from './model.ts';

/** The manifest format this version reads. */
const MANIFEST_VERSION = 1;

/** Package names as Quilt takes them, held to ASCII: two parts, no dots. */
export const PACKAGE_NAME_PATTERN = /^[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+$/;

/** One URL, several, or one a subset; always a list inside. */
const urlListSchema = z
  .union([
    text,
    z.array(text).min(1),
    z.strictObject({ train: text, validation: text, test: text }).partial(),
  ])
  .transform((urls): readonly string[] => {
    if (typeof urls === 'string') return [urls];
    if (Array.isArray(urls)) return urls;
    return [urls.train, urls.validation, urls.test].filter((url) => url !== undefined);
  })
  .refine((urls) => urls.length > 0, { error: 'expected at least one URL' });

const sourceSchema = z.strictObject({
  classes: text,
  boxes: urlListSchema,
  images: urlListSchema,
  hierarchy: text.optional(),
});

const querySchema = z.strictObject({
  classes: z.array(text).min(1),
  descendants: z.boolean().default(false),
  where: text.optional(),
  imagesPerClass: positiveInteger.optional(),
});

const fetchSchema = z.strictObject({
  requestsPerSecond: finite.positive().max(10_000).default(20),
  concurrency: positiveInteger.max(1024).default(16),
  retries: z.int().min(0).max(100).default(5),
  timeoutSeconds: finite.positive().max(3600).default(30),
  maxBytes: byteSize.default(50_000_000),
  missing: z.enum(['record', 'fail']).default('record'),
  changed: z.enum(['keep', 'drop']).default('keep'),
  from: z.array(text).min(1).default(['original']),
});

const cropSchema = z.strictObject({
  minSidePx: positiveInteger.default(1),
  paddingFraction: finite.min(0).max(10).default(0),
  upright: z.boolean().default(true),
  format: z.enum(['jpeg', 'png', 'webp']).default('jpeg'),
  quality: z.int().min(1).max(100).default(92),
});

const splitSchema = z
  .strictObject({ validation: fraction.default(0.2), test: fraction.default(0) })
  .refine((split) => split.validation + split.test < 1, {
    error: 'expected validation + test below 1, so that something is left to train on',
  });

/** What makes a data set anew; one that is built upon is taken as it is. */
const MAKING_KEYS = ['query', 'fetch', 'crop', 'split'];

const dataShape = z
  .strictObject({
    source: sourceSchema.optional(),
    package: text.optional(),
    query: querySchema.optional(),
    fetch: fetchSchema.prefault({}),
    crop: cropSchema.prefault({}),
    split: splitSchema.prefault({}),
  })
  .refine((data) => (data.source === undefined) !== (data.package === undefined), {
    error: 'expected either source (tables to query) or package (an installed dataset)',
  })
  .refine((data) => data.source === undefined || data.query !== undefined, {
    error: 'expected query beside source, with the classes to take',
  });

const dataSchema = z.preprocess((value, context) => {
  if (typeof value !== 'object' || value === null) return value;
  if (!('package' in value) || 'source' in value) return value;
  for (const key of MAKING_KEYS.filter((name) => name in value)) {
    const message = 'a data set that is built upon (package) is taken as it is';
    context.addIssue({ code: 'custom', message, path: [key], input: value });
  }
  return value;
}, dataShape);

const codeSchema = z.strictObject({ repository: text, revision: text.default('HEAD') });

const environmentSchema = z.strictObject({
  /** A number is what YAML makes of a version without dots; it is refused later, in words. */
  node: z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), text)
    .optional(),
  lockfile: text.optional(),
  dockerfile: text.optional(),
});

export const manifestSchema = z
  .strictObject({
    version: z.literal(MANIFEST_VERSION),
    name: z.string().regex(PACKAGE_NAME_PATTERN, {
      error: 'expected user/name, of letters, digits, "_" and "-"',
    }),
    description: text.optional(),
    license: text.optional(),
    data: dataSchema,
    code: codeSchema.optional(),
    environment: environmentSchema.optional(),
    model: modelSchema.optional(),
    seed: z.int().min(0).default(0),
  })
  .refine(({ model, code }) => model?.entry === undefined || code !== undefined, {
    error: 'expected code beside model.entry, since the entry is a module of it',
    path: ['model', 'entry'],
  });

/** A manifest with every default filled in. */
export type Manifest = z.output<typeof manifestSchema>;
export type SourceParams = z.output<typeof sourceSchema>;
export type QueryParams = z.output<typeof querySchema>;
export type FetchParams = z.output<typeof fetchSchema>;
export type CropParams = z.output<typeof cropSchema>;
export type SplitParams = z.output<typeof splitSchema>;
