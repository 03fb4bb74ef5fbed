/** The layers of a network, before and now, in sentences that name their places. */
import type { Json } from '../store/canonical-json.ts';
import {
  change,
  differencesOf,
  inWords,
  isList,
  type JsonDifference,
  membersOf,
  sameJson,
  shown,
} from './json-difference.ts';

/** More layers than a manifest may have are not told one by one. */
const MAX_LAYERS = 200;

/** What it takes to make one list of the other: a layer more or less is worth two changed ones. */
const COSTS = { edit: 2, settings: 1 };

interface Layer {
  readonly kind: string;
  readonly settings: Json;
}

/** A layer that is in both lists, or in one; places from 1. */
type Pairing =
  | { readonly sort: 'kept'; readonly was: number; readonly is: number }
  | { readonly sort: 'removed'; readonly was: number }
  | { readonly sort: 'added'; readonly is: number };

/** Which layers changed, came or went, by the fewest changes that make the one list of the other. */
export function describeLayers({ was, is }: JsonDifference): readonly string[] {
  const [before, after] = [layersOf(was), layersOf(is)];
  if (before === undefined || after === undefined)
    return [`the layers changed ${change({ was, is })}`];
  if (Math.max(before.length, after.length) > MAX_LAYERS) {
    return [`the layers changed, ${String(before.length)} -> ${String(after.length)} of them`];
  }
  return align(before, after).flatMap((pairing) => sentencesOf(pairing, before, after));
}

function sentencesOf(
  pairing: Pairing,
  before: readonly Layer[],
  after: readonly Layer[],
): readonly string[] {
  switch (pairing.sort) {
    case 'removed':
      return [`layer ${layerText(pairing.was, before)} is gone`];
    case 'added':
      return [`layer ${layerText(pairing.is, after)} is new`];
    case 'kept':
      return settingsSentence(pairing, before, after);
  }
}

function settingsSentence(
  { was, is }: Extract<Pairing, { sort: 'kept' }>,
  before: readonly Layer[],
  after: readonly Layer[],
): readonly string[] {
  const [old, current] = [before[was - 1], after[is - 1]];
  const differences = differencesOf(old?.settings, current?.settings);
  if (differences.length === 0 || current === undefined) return [];
  const place = was === is ? String(was) : `${String(was)}, now ${String(is)},`;
  const settings = differences.map(({ path, ...values }) =>
    [path.map(inWords).join(' '), change(values)].filter((word) => word !== '').join(' '),
  );
  return [`layer ${place} ${shown(current.kind)}: ${settings.join(', ')}`];
}

function layerText(place: number, layers: readonly Layer[]): string {
  const layer = layers[place - 1];
  const settings = shown(layer?.settings);
  const kind = shown(layer?.kind);
  return settings === '{}' ? `${String(place)} ${kind}` : `${String(place)} ${kind} (${settings})`;
}

/** Layers as a lockfile has them, each an object of one key; undefined where they are anything else. */
function layersOf(value: Json | undefined): readonly Layer[] | undefined {
  if (!isList(value)) return undefined;
  const layers = value.flatMap((item) => {
    const members = [...membersOf(item)];
    return members.length === 1 ? members.map(([kind, settings]) => ({ kind, settings })) : [];
  });
  return layers.length === value.length ? layers : undefined;
}

/** Edit distance (Wagner and Fischer 1974), in which layers of one kind become each other. */
function align(before: readonly Layer[], after: readonly Layer[]): readonly Pairing[] {
  const costs = costTable(before, after);
  const costAt = (was: number, is: number) => costs[was]?.[is] ?? Number.POSITIVE_INFINITY;
  const pairings: Pairing[] = [];
  let [was, is] = [before.length, after.length];
  while (was > 0 || is > 0) {
    const cost = costAt(was, is);
    const [old, current] = [before[was - 1], after[is - 1]];
    if (old && current && cost === costAt(was - 1, is - 1) + becoming(old, current)) {
      pairings.push({ sort: 'kept', was: was--, is: is-- });
    } else if (is > 0 && cost === costAt(was, is - 1) + COSTS.edit) {
      pairings.push({ sort: 'added', is: is-- });
    } else {
      pairings.push({ sort: 'removed', was: was-- });
    }
  }
  return pairings.reverse();
}

/** The least cost of making the first `is` layers of the first `was` ones. */
function costTable(
  before: readonly Layer[],
  after: readonly Layer[],
): readonly (readonly number[])[] {
  const costs: number[][] = [[0]];
  for (let was = 0; was <= before.length; was++) {
    const row = (costs[was] ??= []);
    const above = costs[was - 1] ?? [];
    for (let is = 0; is <= after.length; is++) {
      const [old, current] = [before[was - 1], after[is - 1]];
      row[is] = Math.min(
        was === 0 && is === 0 ? 0 : Number.POSITIVE_INFINITY,
        (above[is] ?? Number.POSITIVE_INFINITY) + COSTS.edit,
        (row[is - 1] ?? Number.POSITIVE_INFINITY) + COSTS.edit,
        old && current
          ? (above[is - 1] ?? Number.POSITIVE_INFINITY) + becoming(old, current)
          : Number.POSITIVE_INFINITY,
      );
    }
  }
  return costs;
}

function becoming(old: Layer, current: Layer): number {
  if (old.kind !== current.kind) return Number.POSITIVE_INFINITY;
  return sameJson(old.settings, current.settings) ? 0 : COSTS.settings;
}
