/** What belongs together in a lockfile, and may come from one side only. */
import { jsonAt, sameJson } from '../changes/json-difference.ts';
import type { Json } from '../store/canonical-json.ts';
import { withJsonAt } from './document.ts';

/** Parts that only make sense as one side has them. */
export interface Coupling {
  readonly key: string;
  readonly parts: readonly (readonly string[])[];
}

const TABLES = ['classes', 'boxes', 'images', 'hierarchy'];

/** Keys of a data set that is made from tables, and of one that is there already. */
const DATA_KEYS = ['package', 'source', 'query', 'fetch', 'crop', 'split', 'without'];

/**
 * A pin belongs to what the manifest asks for: tables to their addresses, a base to its reference, the code to
 * its revision. Files of the environment lie in the code, where there is some. Where only one side builds upon
 * a data set, all that makes one belongs together.
 */
export function couplingsOf(ours: Json, theirs: Json): readonly Coupling[] {
  const either = (...path: readonly string[]) =>
    jsonAt(ours, ...path) !== undefined || jsonAt(theirs, ...path) !== undefined;
  const both = (...path: readonly string[]) =>
    jsonAt(ours, ...path) !== undefined && jsonAt(theirs, ...path) !== undefined;
  const asked = (...path: readonly string[]) => ['parameters', ...path];
  const fileOf = (name: string) => [asked('environment', name), ['environment', name]];
  const files = ['lockfile', 'dockerfile'];
  const isOtherData = either('parameters', 'package') && !both('parameters', 'package');
  const code = [asked('code'), ['code']];
  const data = [asked('package'), ['bases', 'data']];
  return [
    ...(either('code')
      ? [{ key: 'code', parts: [...code, ...files.flatMap(fileOf)] }]
      : [
          { key: 'code', parts: code },
          ...files.map((name) => ({ key: `environment.${name}`, parts: fileOf(name) })),
        ]),
    { key: 'environment.node', parts: fileOf('node') },
    ...(isOtherData
      ? [{ key: 'data', parts: [...DATA_KEYS.map((name) => asked(name)), ['sources'], ...data] }]
      : [
          { key: 'package', parts: data },
          ...TABLES.map((name) => ({
            key: `sources.${name}`,
            parts: [asked('source', name), ['sources', name]],
          })),
        ]),
    { key: 'model.base', parts: [asked('model', 'base'), ['bases', 'model']] },
  ];
}

/** Whether a merged document has the parts as one side has them. */
export function isHeld({ parts }: Coupling, merged: Json, sides: readonly Json[]): boolean {
  return sides.some((side) =>
    parts.every((path) => sameJson(jsonAt(merged, ...path), jsonAt(side, ...path))),
  );
}

/** A document with the parts of a coupling as a side has them. */
export function takeParts({ parts }: Coupling, document: Json, side: Json): Json {
  let taken = document;
  for (const path of parts) taken = withJsonAt(taken, path, jsonAt(side, ...path)) ?? {};
  return taken;
}

/** Whether a key lies in a coupling. */
export function isPartOf(path: readonly string[], { parts }: Coupling): boolean {
  return parts.some((part) => part.every((key, index) => path[index] === key));
}
