/** Two lockfiles told apart in sentences, each with what follows of it for the package. */
import type { Lockfile } from '../lockfile/lockfile.ts';
import { toPlainJson } from '../store/canonical-json.ts';
import { type Finding, LOCK_SECTIONS, type LockChange, type LockedStep } from './changes.ts';
import { consequenceOf, stepsAfter, stepsOf } from './effects.ts';
import { differencesOf, type JsonDifference, sameJson, shown } from './json-difference.ts';
import { describeParameter } from './parameter-sentences.ts';
import { describeCode, describeEnvironment, describeToolchain } from './pin-sentences.ts';
import { describeRecord } from './record-sentences.ts';
import { describeSources, urlsOf } from './source-sentences.ts';

/**
 * Every difference between two lockfiles but for ETags, section by section; empty where they pin the same.
 * The manifest's digest is told only where nothing else is.
 */
export function describeLockChanges(before: Lockfile, after: Lockfile): readonly LockChange[] {
  const findings = [
    ...describeName(before, after),
    ...describeSources(before, after),
    ...describeParameters(before, after),
    ...describeBases(before, after),
    ...describeCode(before, after),
    ...describeEnvironment(before, after),
    ...describeToolchain(before.toolchain, after.toolchain),
    ...describeRecord(before, after),
  ];
  const told = findings.length > 0 ? findings : describeText(before, after);
  const planned = stepsOf(after);
  return LOCK_SECTIONS.flatMap((section) =>
    told
      .filter((finding) => finding.section === section)
      .map((finding) => toChange(finding, planned)),
  );
}

function toChange(
  { section, sentence, roots, effect }: Finding,
  planned: readonly LockedStep[],
): LockChange {
  const steps = stepsAfter(planned, roots);
  return { section, sentence, effect: effect ?? consequenceOf(planned, steps), steps };
}

function describeName(before: Lockfile, after: Lockfile): readonly Finding[] {
  if (before.name === after.name) return [];
  const sentence = `the package is called ${shown(after.name)}, no longer ${shown(before.name)}`;
  return [{ section: 'package', sentence, roots: ['summarize'] }];
}

function describeText(before: Lockfile, after: Lockfile): readonly Finding[] {
  if (before.manifest === after.manifest) return [];
  const sentence = 'the words or the pace of the manifest changed, and no input';
  const effect = 'no step runs again; the package holds the new text';
  return [{ section: 'manifest', sentence, roots: [], effect }];
}

/** Which keys of the parameters go with the tables, and which with a data set that is there. */
const DATA_KEYS = ['package', 'source', 'query', 'fetch', 'crop', 'split', 'without'];

/** Keys that are told where their pins are. */
const PINNED_KEYS = ['code', 'environment'];

function describeParameters(before: Lockfile, after: Lockfile): readonly Finding[] {
  const differences = differencesOf(before.parameters, after.parameters);
  const isOtherData = (before.sources === undefined) !== (after.sources === undefined);
  const isTold = ({ path: [key = ''] }: JsonDifference) =>
    PINNED_KEYS.includes(key) ||
    (isOtherData && DATA_KEYS.includes(key)) ||
    (key === 'source' && hasOtherUrls(before, after));
  return [
    ...(isOtherData ? [describeOtherData(before, after)] : []),
    ...differences
      .filter((difference) => !isTold(difference))
      .flatMap((difference) => describeParameter(difference)),
  ];
}

function hasOtherUrls(before: Lockfile, after: Lockfile): boolean {
  return !sameJson(urlsOf(before), urlsOf(after));
}

/** Tables in place of a data set that is there, or the other way round. */
function describeOtherData(before: Lockfile, after: Lockfile): Finding {
  const isMade = after.sources !== undefined;
  const { parameters } = isMade ? before : after;
  const name = shown(parameters['package']);
  return {
    section: 'bases',
    sentence: isMade
      ? `the data set is made from tables, no longer that of ${name}`
      : `the data set is that of ${name}, no longer made from tables`,
    roots: isMade ? ['query', 'fetch', 'crop', 'split'] : ['dataset'],
  };
}

function describeBases(before: Lockfile, after: Lockfile): readonly Finding[] {
  const uses = ['data', 'model'] as const;
  const basesFor = ({ bases }: Lockfile, use: string) =>
    toPlainJson((bases ?? []).filter((base) => base.use === use));
  return uses.flatMap((use) => {
    const [was, is] = [basesFor(before, use), basesFor(after, use)];
    if (sameJson(was, is)) return [];
    const roots: readonly LockedStep[] = use === 'data' ? ['dataset'] : ['train'];
    return [
      {
        section: 'bases',
        sentence: `${BASE_WORDS[use]}: ${baseText(before, use)} -> ${baseText(after, use)}`,
        roots,
      },
    ];
  });
}

const BASE_WORDS = {
  data: 'the package whose data is built upon',
  model: 'the package whose model is built upon',
} as const;

function baseText({ bases = [] }: Lockfile, use: string): string {
  const texts = bases
    .filter((base) => base.use === use)
    .map(
      ({ name, topHash, path }) =>
        `${shown(name)}@${shown(topHash)}${path === undefined ? '' : ` ${shown(path)}`}`,
    );
  return texts.length === 0 ? 'none' : texts.join(', ');
}
