/** Drift: what differs between a lockfile and what it pins, in words. */
import { canonicalJson, type Json } from '../store/canonical-json.ts';
import type { Lockfile, PinnedSource, Toolchain } from './lockfile.ts';

/** A sentence for each leaf of two objects that differs, added and removed ones included. */
export function parameterDrift(locked: Json, current: Json): readonly string[] {
  return difference(flatten(locked), flatten(current)).map(
    ({ key, was, is }) => `${key}: was ${was ?? 'not set'}, is ${is ?? 'not set'}`,
  );
}

/** A sentence for each part of the toolchain that changed, with what that does to a package. */
export function toolchainDrift(locked: Toolchain, current: Toolchain): readonly string[] {
  const effects: Readonly<Record<string, string>> = {
    sharp: 'every crop may change',
    duckdb: 'the query runs again',
    crop: 'every crop will change',
    split: 'photos may move between splits',
  };
  return difference(flatten(locked), flatten(current)).map(({ key, was, is }) => {
    const effect = effects[key] ?? 'the package will change';
    return `toolchain ${key}: was ${was ?? 'absent'}, is ${is ?? 'absent'}; ${effect}`;
  });
}

/** A sentence for each source whose address or bytes changed. */
export function sourceDrift(
  locked: Lockfile['sources'],
  current: Lockfile['sources'],
): readonly string[] {
  const before = namedSources(locked);
  const after = namedSources(current);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name) => {
    const was = before.get(name);
    const is = after.get(name);
    if (was === undefined && is !== undefined) return [`source ${name}: ${is.url} is new`];
    if (was !== undefined && is === undefined) return [`source ${name}: ${was.url} is gone`];
    if (was === undefined || is === undefined) return [];
    if (was.url !== is.url) return [`source ${name}: was ${was.url}, is ${is.url}`];
    return was.digest === is.digest ? [] : [describeSourceChange(name, was, is)];
  });
}

/** The sentence for one source whose bytes are not the pinned ones. */
export function describeSourceChange(
  name: string,
  was: PinnedSource,
  is: Pick<PinnedSource, 'digest' | 'sizeBytes'>,
): string {
  return (
    `source ${name}: ${was.url} was ${String(was.sizeBytes)} bytes (${was.digest.slice(0, 12)}), ` +
    `is ${String(is.sizeBytes)} bytes (${is.digest.slice(0, 12)})`
  );
}

/** Sources under the names that sentences call them by; a data set that is built upon has none. */
export function namedSources(sources: Lockfile['sources']): ReadonlyMap<string, PinnedSource> {
  if (sources === undefined) return new Map();
  const numbered = (kind: string, list: readonly PinnedSource[]) =>
    list.map(
      (source, index) => [list.length === 1 ? kind : `${kind}.${String(index)}`, source] as const,
    );
  return new Map([
    ['classes', sources.classes],
    ...numbered('boxes', sources.boxes),
    ...numbered('images', sources.images),
    ...(sources.hierarchy === undefined ? [] : [['hierarchy', sources.hierarchy] as const]),
  ]);
}

interface Difference {
  readonly key: string;
  readonly was: string | undefined;
  readonly is: string | undefined;
}

function difference(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => ({ key, was: before.get(key), is: after.get(key) }))
    .filter(({ was, is }) => was !== is);
}

/** Leaves of nested objects under dotted keys; lists are leaves. */
function flatten(value: Json, prefix = ''): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map([[prefix, canonicalJson(value)]]);
  }
  const leaves = Object.entries(value).flatMap(([key, member]) => [
    ...flatten(member, prefix === '' ? key : `${prefix}.${key}`),
  ]);
  return new Map(leaves);
}
