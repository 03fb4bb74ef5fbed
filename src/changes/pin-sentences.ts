/** Sentences about pins of a lockfile that are no source: code, environment and toolchain. */
import type { Lockfile, Toolchain } from '../lockfile/lockfile.ts';
import { type Json, toPlainJson } from '../store/canonical-json.ts';
import type { Finding, LockedStep } from './changes.ts';
import { runsCode, stepsUsing } from './effects.ts';
import {
  change,
  differencesOf,
  jsonAt,
  membersOf,
  sameJson,
  shown,
  someNames,
  textsOf,
} from './json-difference.ts';

/** Of a commit, as git shows it. */
const COMMIT_DIGITS = 7;

/** What the pinned code, and the wish for it, have become. */
export function describeCode(before: Lockfile, after: Lockfile): readonly Finding[] {
  const [was, is] = [codeOf(before), codeOf(after)];
  if (sameJson(was, is)) return [];
  const roots: readonly LockedStep[] = runsCode(before) || runsCode(after) ? ['train'] : [];
  const effect = 'the code in the package changes, no step runs again';
  const found = (sentence: string): Finding => ({
    section: 'code',
    sentence,
    roots,
    effect: roots.length === 0 ? effect : undefined,
  });
  if (before.code === undefined && after.code !== undefined) {
    return [found(`code is now pinned: ${placeOf(after.code)} at ${commitText(after.code)}`)];
  }
  if (before.code !== undefined && after.code === undefined) {
    return [
      found(
        `code is no longer pinned; it was ${placeOf(before.code)} at ${commitText(before.code)}`,
      ),
    ];
  }
  if (before.code === undefined || after.code === undefined) {
    return [
      found(
        `the code asked for: ${change({ was: jsonAt(was, 'asked'), is: jsonAt(is, 'asked') })}`,
      ),
    ];
  }
  return pinnedCodeSentences(
    before.code,
    after.code,
    !sameJson(jsonAt(was, 'asked'), jsonAt(is, 'asked')),
  ).map(found);
}

type PinnedCode = NonNullable<Lockfile['code']>;

function pinnedCodeSentences(
  was: PinnedCode,
  is: PinnedCode,
  asksOther: boolean,
): readonly string[] {
  const sentences: string[] = [];
  if (was.commit !== is.commit || was.dirty !== is.dirty) {
    const moved = was.commit === is.commit ? 'is another' : 'moved';
    sentences.push(`the code ${moved} ${commitText(was)} -> ${commitText(is)} (${placeOf(is)})`);
  } else if (was.tar.digest !== is.tar.digest || was.tar.sizeBytes !== is.tar.sizeBytes) {
    const bytes = change({ was: was.tar.digest, is: is.tar.digest });
    sentences.push(`the code at ${commitText(is)} is packed otherwise, ${bytes}`);
  }
  if (was.repository !== is.repository || was.revision !== is.revision) {
    sentences.push(`the code is asked for as ${placeOf(is)}, no longer as ${placeOf(was)}`);
  } else if (asksOther && sentences.length === 0) {
    sentences.push('the manifest asks for the code in other words');
  }
  return sentences;
}

function codeOf({ code, parameters }: Lockfile): Json {
  return toPlainJson({ pinned: code, asked: parameters['code'] });
}

function placeOf({ repository, revision }: PinnedCode): string {
  return `${shown(revision)} of ${shown(repository)}`;
}

function commitText({ commit, dirty }: PinnedCode): string {
  const short = commit.slice(0, COMMIT_DIGITS);
  return dirty === true ? `${short} with changes that are not committed` : short;
}

/** What the pinned environment has become. */
export function describeEnvironment(before: Lockfile, after: Lockfile): readonly Finding[] {
  const effect = 'the environment in the package changes, no step runs again';
  const pinnedOf = ({ environment, parameters }: Lockfile) =>
    toPlainJson({ pinned: environment, asked: parameters['environment'] });
  const [was, is] = [pinnedOf(before), pinnedOf(after)];
  const parts = [...new Set(differencesOf(was, is).flatMap(({ path }) => partsAt(path, was, is)))];
  return parts.map((part) => ({
    section: 'environment',
    sentence: environmentSentence(part, was, is),
    roots: [],
    effect,
  }));
}

/** The parts of the environment that a difference is about: one, or all where the whole came or went. */
function partsAt([, part]: readonly string[], was: Json, is: Json): readonly string[] {
  if (part !== undefined) return [part];
  return [
    ...new Set(
      [was, is].flatMap((side) => [...partNames(side, 'pinned'), ...partNames(side, 'asked')]),
    ),
  ];
}

function partNames(side: Json, key: string): readonly string[] {
  return [...membersOf(jsonAt(side, key)).keys()];
}

function environmentSentence(part: string, was: Json, is: Json): string {
  const at = (side: Json, ...path: readonly string[]) => jsonAt(side, 'pinned', part, ...path);
  const [before, after] = [at(was), at(is)];
  if (sameJson(before, after)) {
    return `the manifest asks for another ${part}: ${change({ was: jsonAt(was, 'asked', part), is: jsonAt(is, 'asked', part) })}`;
  }
  if (part === 'node') return `Node: ${change({ was: before, is: after })}`;
  const name = shown(at(is, 'path') ?? at(was, 'path') ?? part);
  if (before === undefined) return `${name} is now pinned`;
  if (after === undefined) return `${name} is no longer pinned`;
  const [bases, newBases] = [
    textsOf(at(was, 'baseImages')) ?? [],
    textsOf(at(is, 'baseImages')) ?? [],
  ];
  const images = sameJson(bases, newBases)
    ? ''
    : `; its base images: ${someNames(bases)} -> ${someNames(newBases)}`;
  const size = change({ was: at(was, 'sizeBytes'), is: at(is, 'sizeBytes') });
  return `${name} changed, ${size} bytes (${change({ was: at(was, 'digest'), is: at(is, 'digest') })})${images}`;
}

/** What parts of a toolchain are, for a reader. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ['sharp', 'sharp (the decoder)'],
  ['duckdb', 'DuckDB (which answers the query)'],
  ['kernels', 'the training kernels'],
  ['h5wasm', 'h5wasm (which writes the Keras file)'],
]);

const EFFECTS: ReadonlyMap<string, string> = new Map([
  ['sharp', 'photos are decoded anew, and every crop and the model may change'],
  ['duckdb', 'the query runs again'],
  ['h5wasm', 'the model is trained again, and its Keras file may change'],
]);

/** What the parts of the toolchain have become. */
export function describeToolchain(before: Toolchain, after: Toolchain): readonly Finding[] {
  const parts = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const versionOf = (side: Toolchain, part: string) =>
    Object.hasOwn(side, part) ? side[part] : undefined;
  const found = parts
    .map((part) => ({ part, was: versionOf(before, part), is: versionOf(after, part) }))
    .filter(({ was, is }) => was !== is);
  const changed = found.filter(({ was, is }) => was !== undefined && is !== undefined);
  const added = found.filter(({ was }) => was === undefined).map(({ part }) => part);
  const removed = found.filter(({ is }) => is === undefined).map(({ part }) => part);
  const listed = (sentence: string, names: readonly string[]): readonly Finding[] =>
    names.length === 0
      ? []
      : [
          {
            section: 'toolchain',
            sentence: `${sentence} ${someNames(names, 20)}`,
            roots: [],
            effect: 'no step of before runs again for it',
          },
        ];
  return [
    ...changed.map(
      ({ part, was, is }): Finding => ({
        section: 'toolchain',
        sentence: `${PARTS.get(part) ?? stepText(part)} changed ${change({ was, is })}`,
        roots: stepsUsing(part),
        effect: EFFECTS.get(part),
      }),
    ),
    ...listed('the tools now also count', added),
    ...listed('the tools no longer count', removed),
  ];
}

function stepText(part: string): string {
  return stepsUsing(part).length === 1 ? `how pkg does ${part}` : shown(part);
}
