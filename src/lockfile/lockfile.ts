/** The lockfile: the manifest with every input pinned to a digest. */
import { z } from 'zod';
import { pinnedEnvironmentSchema } from '../environment/environment.ts';
import { PkgError } from '../runtime/errors.ts';
import { isDigest } from '../store/digest.ts';

/** The lockfile format this version reads and writes. */
export const LOCKFILE_VERSION = 1;

const digestSchema = z
  .custom<string>((value) => typeof value === 'string' && isDigest(value), {
    error: 'expected a SHA-256 digest',
  })
  .transform((text, context) => {
    if (isDigest(text)) return text;
    context.addIssue('expected a SHA-256 digest');
    return z.NEVER;
  });

const descriptorShape = { digest: digestSchema, sizeBytes: z.int().min(0) };

const sourceSchema = z.strictObject({
  url: z.string().min(1),
  ...descriptorShape,
  etag: z.string().optional(),
});

const codeSchema = z.strictObject({
  repository: z.string().min(1),
  revision: z.string().min(1),
  commit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, { error: 'expected a commit id' }),
  dirty: z.literal(true).optional(),
  tar: z.strictObject(descriptorShape),
});

const baseSchema = z.strictObject({
  use: z.enum(['data', 'model']),
  name: z.string().min(1),
  topHash: z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected a top hash' }),
  path: z.string().min(1).optional(),
});

const lockfileSchema = z.strictObject({
  lockfileVersion: z.literal(LOCKFILE_VERSION),
  name: z.string(),
  manifest: digestSchema,
  toolchain: z.record(z.string(), z.string()),
  parameters: z.record(z.string(), z.json()),
  sources: z
    .strictObject({
      classes: sourceSchema,
      boxes: z.array(sourceSchema).min(1),
      images: z.array(sourceSchema).min(1),
      hierarchy: sourceSchema.optional(),
    })
    .optional(),
  bases: z.array(baseSchema).min(1).optional(),
  code: codeSchema.optional(),
  environment: pinnedEnvironmentSchema.optional(),
  fetch: z
    .strictObject({
      record: z.strictObject(descriptorShape),
      images: z.int().min(0),
      exceptions: z.record(z.string(), z.string()),
    })
    .optional(),
});

export type Lockfile = Readonly<z.output<typeof lockfileSchema>>;

/** A remote or local input pinned by digest and size; the ETag only saves transfers. */
export type PinnedSource = Readonly<z.output<typeof sourceSchema>>;

/** The source tables of a lockfile; a data set that is built upon has none. */
export type PinnedSources = NonNullable<Lockfile['sources']>;

/** A published package that is built upon, and what of it: its data, or the model at `path`. */
export type PinnedBase = NonNullable<Lockfile['bases']>[number];

/**
 * What the network answered: the digest of `metadata/images.csv`, and each image whose bytes are not
 * those its metadata promises, as `ImageID: status` or `ImageID: status digest`.
 */
export type FetchRecord = NonNullable<Lockfile['fetch']>;

/** The part of a toolchain that a name in it stands for, such as a step or a library. */
export type Toolchain = Readonly<Record<string, string>>;

/** JSON in a fixed key order, one value a line, so that a diff shows what moved. */
export function formatLockfile(lockfile: Lockfile): string {
  return `${JSON.stringify(lockfileSchema.parse(lockfile), null, 2)}\n`;
}

/**
 * Reads a lockfile; `file` names it in messages.
 * @throws PkgError `lockfile` where it is none or of another version.
 */
export function parseLockfile(text: string, file: string): Lockfile {
  const hint = 'Restore it from version control, or write it anew with: pkg lock --update';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PkgError('lockfile', `${file} is not JSON`, { hint, cause: error });
  }
  const version =
    typeof value === 'object' && value !== null && 'lockfileVersion' in value
      ? value.lockfileVersion
      : undefined;
  if (version !== LOCKFILE_VERSION) {
    const found =
      version === undefined ? 'no lockfileVersion' : `version ${JSON.stringify(version)}`;
    throw new PkgError('lockfile', `${file} has ${found}, expected ${String(LOCKFILE_VERSION)}`, {
      hint,
    });
  }
  const parsed = lockfileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.map(String).join('.') ?? '';
  throw new PkgError('lockfile', `${file}: ${key}: ${issue?.message ?? 'invalid'}`, { hint });
}

/** The lockfile as a package carries it: without what depends on the server of the day. */
export function withoutHints(lockfile: Lockfile): Lockfile {
  if (lockfile.sources === undefined) return lockfile;
  const { classes, boxes, images, hierarchy } = lockfile.sources;
  const strip = ({ url, digest, sizeBytes }: PinnedSource): PinnedSource => ({
    url,
    digest,
    sizeBytes,
  });
  return {
    ...lockfile,
    sources: {
      classes: strip(classes),
      boxes: boxes.map(strip),
      images: images.map(strip),
      ...(hierarchy === undefined ? {} : { hierarchy: strip(hierarchy) }),
    },
  };
}
