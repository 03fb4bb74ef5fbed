/** What differs between two lockfiles as lines for a person: sentences, and the steps that run again. */
import type { LockComparison } from '../index.ts';
import { printable } from './printable.ts';
import { columns } from './text.ts';

type Change = LockComparison['changes'][number];

const SENTENCES_SHOWN = 20;

/** A section for each thing that changed, then what a build does. */
export function lockDiffLines({ a, b, same, changes, steps }: LockComparison): readonly string[] {
  const sides = columns([
    ['A', printable(a.path), printable(a.name)],
    ['B', printable(b.path), printable(b.name)],
  ]).split('\n');
  if (same) return [...sides, '', 'no difference'];
  const sections = [...new Set(changes.map(({ section }) => section))];
  const { again, cached } = steps;
  return [
    ...sides,
    ...sections.flatMap((section) => [
      '',
      ...sectionLines(
        section,
        changes.filter((change) => change.section === section),
      ),
    ]),
    '',
    ...(again.length === 0 ? ['no step runs again'] : [`runs again: ${again.join(', ')}`]),
    ...(cached.length === 0 || again.length === 0 ? [] : [`stays as it is: ${cached.join(', ')}`]),
  ];
}

/** What follows stands behind the section where it is the same for all of it, else behind each sentence. */
function sectionLines(section: string, changes: readonly Change[]): readonly string[] {
  const effects = new Set(changes.map(({ effect }) => effect));
  const [common] = effects.size === 1 ? effects : [];
  const lines = changes
    .slice(0, SENTENCES_SHOWN)
    .map(({ sentence, effect }) => (common === undefined ? `${sentence}: ${effect}` : sentence));
  const rest = changes.length - lines.length;
  return [
    common === undefined ? section : `${section}: ${common}`,
    ...lines.map((line) => `  ${printable(line)}`),
    ...(rest > 0 ? [`  and ${String(rest)} more, see --json`] : []),
  ];
}
