/** Sentences about the source tables that two lockfiles pin. */
import type { Lockfile, PinnedSource, PinnedSources } from '../lockfile/lockfile.ts';
import type { Finding, LockedStep } from './changes.ts';
import { change, sameJson, shown } from './json-difference.ts';

const KINDS = ['classes', 'boxes', 'images', 'hierarchy'] as const;

/** What became of each table; tables of one kind are told apart by their addresses. */
export function describeSources(before: Lockfile, after: Lockfile): readonly Finding[] {
  const [was, is] = [before.sources, after.sources];
  if (was === undefined || is === undefined) return [];
  return KINDS.flatMap((kind) => describeKind(kind, tablesOf(was, kind), tablesOf(is, kind)));
}

/** The addresses of all tables, by kind and in order. */
export function urlsOf({ sources }: Lockfile): readonly (readonly string[])[] {
  if (sources === undefined) return [];
  return KINDS.map((kind) => tablesOf(sources, kind).map(({ url }) => url));
}

function tablesOf(sources: PinnedSources, kind: (typeof KINDS)[number]): readonly PinnedSource[] {
  const found = sources[kind];
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

function describeKind(
  kind: string,
  was: readonly PinnedSource[],
  is: readonly PinnedSource[],
): readonly Finding[] {
  const current = new Map(is.map((source) => [source.url, source]));
  const former = new Map(was.map((source) => [source.url, source]));
  const left = was.filter(({ url }) => !current.has(url));
  const came = is.filter(({ url }) => !former.has(url));
  const stayed = was.flatMap((source) => {
    const now = current.get(source.url);
    return now === undefined || isSame(source, now) ? [] : [otherBytes(source, now)];
  });
  const moved = left
    .slice(0, came.length)
    .map((source, index) => movedTo(source, came[index] ?? source));
  const sentences = [
    ...stayed,
    ...moved,
    ...left.slice(came.length).map(({ url }) => ({ text: `${shown(url)} is gone`, isOther: true })),
    ...came.slice(left.length).map(({ url }) => ({ text: `${shown(url)} is new`, isOther: true })),
  ];
  const order = 'the tables are in another order, or one of them is there another time';
  const isOtherOrder = !sameJson(
    was.map(({ url }) => url),
    is.map(({ url }) => url),
  );
  const told = sentences.length > 0 || !isOtherOrder ? sentences : [{ text: order, isOther: true }];
  // Addresses of photos may be relative to those of their tables.
  const fetched: readonly LockedStep[] = kind === 'images' && isOtherOrder ? ['fetch'] : [];
  return told.map(({ text, isOther }) => ({
    section: 'sources',
    sentence: `source ${kind}: ${text}`,
    roots: isOther ? ['query', ...fetched] : fetched,
  }));
}

interface Told {
  readonly text: string;
  /** Whether the bytes that are asked, or their places, are others. */
  readonly isOther: boolean;
}

function otherBytes(was: PinnedSource, is: PinnedSource): Told {
  return { text: `${shown(is.url)} has other bytes, ${bytesText(was, is)}`, isOther: true };
}

function movedTo(was: PinnedSource, is: PinnedSource): Told {
  const moved = change({ was: was.url, is: is.url });
  return isSame(was, is)
    ? { text: `${moved}, with the same bytes`, isOther: false }
    : { text: `${moved}, with other bytes, ${bytesText(was, is)}`, isOther: true };
}

function bytesText(was: PinnedSource, is: PinnedSource): string {
  const sizes = `${String(was.sizeBytes)} -> ${String(is.sizeBytes)}`;
  return `${sizes} (${change({ was: was.digest, is: is.digest })})`;
}

function isSame(was: PinnedSource, is: PinnedSource): boolean {
  return was.digest === is.digest && was.sizeBytes === is.sizeBytes;
}
