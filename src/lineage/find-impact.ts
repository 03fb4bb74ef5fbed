/** The search of a registry for all that holds a photo or was made of it, by the lineages beside revisions. */
import { lineageKey, mergedLineageKey } from '../objects/layout.ts';
import type { TopHash } from '../package/package.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { reachedModels } from './affected-models.ts';
import type { AffectedModel, AffectedRevision, Impact } from './impact.ts';
import type { LineageRevision, TermKind } from './lineage.ts';
import { LineageFile } from './lineage-file.ts';
import { type LookedUp, lookUp, type Question, type RevisionHits } from './look-up.ts';
import { nothingFound } from './near-misses.ts';
import { type NamedRevision, readPointedRevisions } from './pointed-revisions.ts';
import {
  type LineageContext,
  type ListedLineages,
  listLineages,
  scanRevision,
} from './registry-lineage.ts';

const LOOKUPS_AT_ONCE = 16;

/** A merge or sweep may put one lineage in the place of several while they are read. */
const MAX_TRIES = 3;

/** Lists are read whole. */
const SCANS_AT_ONCE = 4;

export interface ImpactOptions {
  /** How many ImageIDs and crops are named of each revision. */
  readonly maxNames: number;
}

/** What was found so far, in whatever order. */
interface Findings {
  readonly revisions: Map<TopHash, LineageRevision>;
  readonly hits: Map<TopHash, RevisionHits>;
  readonly kinds: Set<TermKind>;
  readonly licences: Set<string>;
  readonly photos: Set<string>;
  readonly byTables: Set<TopHash>;
  /** The keys of lineages that were looked into. */
  readonly looked: Set<string>;
  readonly unknown: string[];
  readonly notes: string[];
}

/**
 * Every revision, crop and model that an ImageID, author, licence or address leads to. A revision whose
 * lineage is missing or damaged is looked up in its own tables. What a lineage says is not checked
 * against the tables; `pkg verify --registry` does that.
 * @throws PkgError `not-found` where nothing in the registry has to do with it.
 */
export async function findImpact(
  context: LineageContext,
  query: string,
  { maxNames }: ImpactOptions,
): Promise<Impact> {
  const { registry } = context;
  if (query.trim() === '') {
    throw new PkgError('usage', 'an ImageID, author, licence or address is needed');
  }
  const [pointed, listed] = await Promise.all([
    readPointedRevisions(context),
    listLineages(registry),
  ]);
  const findings: Findings = {
    ...{ revisions: new Map(), hits: new Map(), byTables: new Set(), looked: new Set() },
    ...{ kinds: new Set(), licences: new Set(), photos: new Set() },
    ...{ unknown: [...pointed.damaged], notes: [] },
  };
  const question = { query, maxNames, isNamed: (hash: TopHash) => pointed.revisions.has(hash) };
  let files = filesOf(listed);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (!(await lookIntoFiles(context, findings, files.keys(), question))) break;
    files = filesOf(await listLineages(registry));
  }
  const left = [...pointed.revisions.keys()].filter((hash) => !findings.revisions.has(hash));
  const scanned = mapLimit(left, SCANS_AT_ONCE, async (hash) => ({
    hash,
    looked: await lookIntoTables(context, findings, hash, question),
  }));
  for await (const { hash, looked } of scanned) {
    if (looked === undefined) continue;
    findings.byTables.add(hash);
    take(findings, looked);
  }
  const impact = toImpact(context, query, findings, pointed.revisions);
  if (impact.revisions.length + impact.models.length + impact.unknown.length > 0) return impact;
  throw await nothingFound(context, query, files);
}

function filesOf({ single, merged }: ListedLineages): ReadonlyMap<string, number> {
  return new Map([
    ...[...merged].map(([digest, sizeBytes]) => [mergedLineageKey(digest), sizeBytes] as const),
    ...[...single].map(([hash, sizeBytes]) => [lineageKey(hash), sizeBytes] as const),
  ]);
}

/** Looks into lineages that were not looked into yet, and says whether some have gone meanwhile. */
async function lookIntoFiles(
  context: LineageContext,
  findings: Findings,
  keys: Iterable<string>,
  question: Question,
): Promise<boolean> {
  const { runtime, registry } = context;
  const left = [...keys].filter((key) => !findings.looked.has(key));
  let hasGone = false;
  const read = mapLimit(left, LOOKUPS_AT_ONCE, async (key) => {
    runtime.signal.throwIfAborted();
    findings.looked.add(key);
    return await lookInto(context, findings, key, async (photos) => {
      const file = await LineageFile.inRegistry(registry, key);
      if (file === undefined) hasGone = true;
      return file && { file, found: await lookUp(file, question, photos) };
    });
  });
  for await (const looked of read) if (looked !== undefined) take(findings, looked);
  return hasGone;
}

interface Looked {
  readonly file: LineageFile;
  readonly found: LookedUp;
}

/** What one lineage says; undefined, and a note, where it is damaged. */
async function lookInto(
  { registry }: LineageContext,
  findings: Findings,
  key: string,
  look: (photos: Set<string>) => Promise<Looked | undefined>,
): Promise<Looked | undefined> {
  try {
    return await look(findings.photos);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    findings.notes.push(`the lineage ${registry.url}/${key} is damaged: ${error.message}`);
    return undefined;
  }
}

async function lookIntoTables(
  context: LineageContext,
  findings: Findings,
  hash: TopHash,
  question: Question,
): Promise<Looked | undefined> {
  context.runtime.signal.throwIfAborted();
  try {
    const file = await LineageFile.ofBytes(await scanRevision(context, hash));
    return { file, found: await lookUp(file, question, findings.photos) };
  } catch (error) {
    const isKnown = error instanceof PkgError && ['integrity', 'not-found'].includes(error.code);
    if (!isKnown) throw error;
    findings.unknown.push(`revision ${hash} cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

/** Takes in what a lineage says; of a revision that is in several, the first counts. */
function take(findings: Findings, { file, found }: Looked): void {
  for (const kind of found.kinds) findings.kinds.add(kind);
  for (const licence of found.licences) findings.licences.add(licence);
  for (const revision of file.head.revisions) {
    if (findings.revisions.has(revision.topHash)) continue;
    findings.revisions.set(revision.topHash, revision);
    const hits = found.hits.get(revision.topHash);
    if (hits !== undefined) findings.hits.set(revision.topHash, hits);
  }
}

type Names = ReadonlyMap<TopHash, readonly NamedRevision[]>;

function toImpact(
  { registry }: LineageContext,
  query: string,
  findings: Findings,
  names: Names,
): Impact {
  const { kinds, licences, photos, byTables, unknown } = findings;
  return {
    ...{ query, registry: registry.url },
    matched: { kinds: [...kinds].sort(), licences: [...licences].sort() },
    photos: photos.size,
    revisions: affectedRevisions(findings, names),
    models: affectedModels(findings, names),
    looked: { revisions: names.size, byTables: byTables.size },
    unknown,
    notes: [...findings.notes, ...tableNotes(findings, names), ...baseNotes(findings, names)],
  };
}

function affectedRevisions(
  { hits, byTables }: Findings,
  names: Names,
): readonly AffectedRevision[] {
  const affected: AffectedRevision[] = [];
  for (const [topHash, { photos, imageIds, crops, cropKeys }] of hits) {
    const by = byTables.has(topHash) ? 'tables' : 'lineage';
    for (const named of names.get(topHash) ?? []) {
      affected.push({ ...named, photos, imageIds, crops, cropKeys, by });
    }
  }
  return affected.sort(byNameThenNewest);
}

function affectedModels(findings: Findings, names: Names): readonly AffectedModel[] {
  const models: (AffectedModel & NamedRevision)[] = [];
  for (const reach of reachedModels(findings.revisions, findings.hits)) {
    for (const named of names.get(reach.topHash) ?? []) models.push({ ...named, ...reach });
  }
  return models.sort(byNameThenNewest).map(({ name, topHash, isNewest, use, crops, via }) => ({
    ...{ name, topHash, isNewest, use, crops, via },
  }));
}

function byNameThenNewest(a: NamedRevision, b: NamedRevision): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return b.pushedSeconds - a.pushedSeconds || (a.topHash < b.topHash ? -1 : 1);
}

/** Tables that are none: what they hold is not known. */
function tableNotes({ revisions }: Findings, names: Names): readonly string[] {
  return [...revisions.values()].flatMap(({ topHash, unread }) =>
    unread.length === 0
      ? []
      : (names.get(topHash) ?? []).map(
          ({ name }) =>
            `${unread.join(' and ')} of ${name}@${topHash.slice(0, 12)} is no table that can be read`,
        ),
  );
}

/** Bases that are in no lineage of this registry: what they were made of is not known here. */
function baseNotes({ revisions }: Findings, names: Names): readonly string[] {
  const notes = new Set<string>();
  for (const [topHash, { bases }] of revisions) {
    const [named] = names.get(topHash) ?? [];
    for (const base of named === undefined ? [] : bases) {
      if (revisions.has(base.topHash)) continue;
      const what = `${base.name}@${base.topHash.slice(0, 12)}`;
      notes.add(
        `${named?.name ?? ''} is based on ${what}, which is not here; what that holds is not known`,
      );
    }
  }
  return [...notes].sort();
}
