/** Build records: what a builder saw of its host while it built, as a statement beside the package. */
import { z } from 'zod';
import { isTopHash, parseTopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { parseJsonAs } from '../signatures/issues.ts';
import type { Release } from '../signatures/signatures.ts';
import { STATEMENT_TYPE } from '../signatures/statement.ts';
import { toPlainJson } from '../store/canonical-json.ts';
import { type Digest, isDigest, parseDigest } from '../store/digest.ts';
import { formatStatement } from './provenance.ts';

/** "So this package was built here"; nothing of it decides a byte of the package. */
const BUILD_RECORD_PREDICATE_TYPE = 'urn:pkg:build-record:v1';

const MAX_TEXT_LENGTH = 1024;
const MAX_STEPS = 256;

const textSchema = z.string().min(1).max(MAX_TEXT_LENGTH);
const timeSchema = z.iso.datetime({ error: 'expected a time in UTC' });
const secondsSchema = z.number().min(0);

const hostSchema = z.object({
  /** The version of Node, as `20.20.2`. */
  node: textSchema,
  /** As Node has them: `linux`, `x64`. */
  platform: textSchema,
  arch: textSchema,
  /** The operating system and its release, as `Linux 6.8.0`. */
  os: textSchema,
  /** The processor's name for itself, and how many of it there are. */
  cpu: textSchema,
  cpus: z.int().min(1),
});

const recordSchema = z.object({
  /** What built it, as `pkg 0.1.0`. */
  tool: textSchema,
  host: hostSchema,
  /** How many pieces of work went on at once. */
  workers: z.int().min(1),
  /** By the host's clock, in ISO 8601 and UTC. */
  startedAt: timeSchema,
  finishedAt: timeSchema,
  /** Wall clock time, in the order the steps ended; what was `cached` was not done. */
  steps: z
    .array(
      z.object({
        name: textSchema,
        key: z.string().refine(isDigest, { error: 'expected a step key' }).transform(parseDigest),
        seconds: secondsSchema,
        cached: z.boolean(),
      }),
    )
    .max(MAX_STEPS),
});

/** What of a host may be told: nothing that names it, its users or its folders. */
export type BuildHost = Readonly<z.output<typeof hostSchema>>;

/** When, on what and how fast a package was built. */
export interface BuildRecord {
  readonly tool: string;
  readonly host: BuildHost;
  readonly workers: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly steps: readonly {
    readonly name: string;
    readonly key: Digest;
    readonly seconds: number;
    readonly cached: boolean;
  }[];
}

export interface BuildRecordStatement {
  readonly release: Release;
  readonly record: BuildRecord;
}

const statementSchema = z
  .object({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.tuple([
      z.object({
        name: textSchema,
        digest: z.object({
          sha256: z.string().refine(isTopHash, { error: 'expected a top hash' }),
        }),
      }),
    ]),
    predicateType: z.literal(BUILD_RECORD_PREDICATE_TYPE),
    predicate: recordSchema,
  })
  .transform(({ subject: [{ name, digest }], predicate }) => ({
    release: { name, topHash: parseTopHash(digest.sha256) },
    record: predicate,
  }));

/** The text of a record about a release: an in-toto statement, spelt like provenance. */
export function formatBuildRecord({ name, topHash }: Release, record: BuildRecord): string {
  return formatStatement({
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: topHash } }],
    predicateType: BUILD_RECORD_PREDICATE_TYPE,
    predicate: toPlainJson(recordSchema.parse(record)),
  });
}

/**
 * Reads what `formatBuildRecord` wrote; unknown fields are passed over.
 * @throws PkgError `integrity` where it is none, naming the key at fault.
 */
export function parseBuildRecord(text: string, where: string): BuildRecordStatement {
  const fail = (why: string, cause: unknown) =>
    new PkgError('integrity', `${where} is not a build record: ${why}`, { cause });
  return parseJsonAs(statementSchema, text, fail);
}

/** A record that was kept as JSON; undefined where it is none. */
export function asBuildRecord(value: unknown): BuildRecord | undefined {
  return recordSchema.safeParse(value).data;
}
