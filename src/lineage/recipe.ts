/** How a package was made, as its own lockfile and provenance say it. */
import { z } from 'zod';
import { entryUnder, type OpenedPackage } from '../installation/opened-package.ts';
import { parseProvenance } from '../provenance/parse-provenance.ts';
import type { ProvenanceInput } from '../provenance/provenance.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import type { Json } from '../store/canonical-json.ts';
import { basesIn } from './make-lineage.ts';
import type { CodeFacts, FileLineage, SourceFacts } from './why.ts';

export interface Recipe {
  readonly parameters: Readonly<Record<string, Json>>;
  readonly sources: readonly SourceFacts[];
  readonly bases: FileLineage['bases'];
  readonly code: CodeFacts | undefined;
  /** By their names; of two of one name the first. */
  readonly steps: ReadonlyMap<string, { readonly key: string }>;
  readonly unknown: readonly string[];
}

const LOCKFILE = 'manifest.lock.json';
const PROVENANCE = 'provenance.json';
const MAX_BYTES = 64 * 2 ** 20;

const sourceSchema = z.object({ url: z.string(), digest: z.string(), sizeBytes: z.number() });

/** What is read of a lockfile of any version, each part only where it is there and in order. */
const lockfileSchema = z.object({
  parameters: z.record(z.string(), z.json()).catch({}),
  sources: z
    .record(z.string(), z.union([sourceSchema.transform((one) => [one]), z.array(sourceSchema)]))
    .catch({}),
  code: z
    .object({
      repository: z.string(),
      revision: z.string(),
      commit: z.string(),
      dirty: z.boolean().default(false),
    })
    .optional()
    .catch(undefined),
});

/** Reads what is there; what is not is told as unknown. */
export async function readRecipe(opened: OpenedPackage): Promise<Recipe> {
  const unknown: string[] = [];
  const lockText = await readText(opened, LOCKFILE, unknown, 'sources and parameters');
  const { parameters, sources, code } = parseLock(lockText, unknown);
  const provenanceText = await readText(opened, PROVENANCE, unknown, 'step keys');
  const provenance =
    provenanceText === undefined ? undefined : parsed(provenanceText, opened, unknown);
  const steps = new Map<string, { readonly key: string }>();
  for (const { name, key } of provenance?.steps ?? [])
    if (!steps.has(name)) steps.set(name, { key });
  const bases = provenance?.bases ?? (lockText === undefined ? [] : basesIn(lockText));
  return {
    ...{ parameters, bases, steps, unknown },
    sources: Object.entries(sources).flatMap(([name, tables]) =>
      tables.map((table) => ({ name, ...table })),
    ),
    code: codeOf(provenance) ?? code,
  };
}

function parseLock(text: string | undefined, unknown: string[]): z.output<typeof lockfileSchema> {
  const none = { parameters: {}, sources: {}, code: undefined };
  if (text === undefined) return none;
  try {
    const { data } = lockfileSchema.safeParse(JSON.parse(text));
    if (data !== undefined) return data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  unknown.push(`${LOCKFILE} cannot be read as a lockfile; sources and parameters are not known`);
  return none;
}

function parsed(text: string, { where }: OpenedPackage, unknown: string[]) {
  try {
    return parseProvenance(text, `${where}/${PROVENANCE}`);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    unknown.push(`${error.message}; step keys are not known`);
    return undefined;
  }
}

function codeOf(provenance: ProvenanceInput | undefined): CodeFacts | undefined {
  if (provenance?.code === undefined) return undefined;
  const { repository, revision, commit, dirty = false } = provenance.code;
  return { repository, revision, commit, dirty };
}

/** A text of the package; undefined, and told, where it is not there or not installed. */
export async function readText(
  opened: OpenedPackage,
  logicalKey: string,
  unknown: string[],
  what: string,
): Promise<string | undefined> {
  const bytes = await readPart(opened, logicalKey, unknown, what);
  return bytes?.toString('utf8');
}

/**
 * A file of the package as a whole; undefined, and told, where it is not there, not installed or too
 * long.
 * @throws PkgError `integrity` where its bytes are damaged.
 */
export async function readPart(
  opened: OpenedPackage,
  logicalKey: string,
  unknown: string[],
  what: string,
  maxBytes = MAX_BYTES,
): Promise<Buffer | undefined> {
  const entry = entryUnder(opened.pkg, logicalKey);
  let why = `the package has no ${logicalKey}`;
  if (entry !== undefined && entry.sizeBytes > maxBytes)
    why = `${logicalKey} is too long to be read`;
  else if (entry !== undefined) {
    try {
      return await opened.read(entry);
    } catch (error) {
      if (!(error instanceof PkgError) || error.code !== 'not-found') throw error;
      why = messageOf(error);
    }
  }
  unknown.push(`${why}; ${what} are not known`);
  return undefined;
}
