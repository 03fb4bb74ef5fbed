/** What came of doing a package's work again, for a person. */
import type { Reproduction, SpotCheck } from '../index.ts';
import { columns, count, formatSeconds } from './text.ts';

/** Of files that differ. */
const NAMES_SHOWN = 10;

export function printOutcome(outcome: Reproduction | SpotCheck): string {
  return ('proved' in outcome ? spotLines(outcome) : reproductionLines(outcome)).join('\n');
}

function spotLines(result: SpotCheck): readonly string[] {
  return [
    columns(
      result.checked.map(({ from, to, verdict }) => [
        'iterations',
        `${String(from + 1)} to ${String(to)}`,
        verdict,
      ]),
    ),
    `weights  ${result.weights === 'unknown' ? 'not reached by these segments' : result.weights}`,
    ...result.findings,
    `${result.proved ? 'Proved' : 'Refuted'}: ${count(result.checked.length, 'segment')} of ` +
      `${String(result.segments)} done again, ${result.name}@${result.topHash}`,
  ];
}

function reproductionLines(result: Reproduction): readonly string[] {
  const { files, steps, environment, sources, notes } = result;
  return [
    columns(
      steps.map(({ name, verdict, seconds }) => ['step', name, verdict, formatSeconds(seconds)]),
    ),
    ...steps.flatMap(({ name, why }) => (why === undefined ? [] : [`  ${name}: ${why}`])),
    columns([
      ['files', 'same', 'differs', 'missing', 'extra'],
      ...files.map(({ kind, same, differs, missing, extra }) => [
        kind === '' ? '(top)' : kind,
        ...[same, differs, missing, extra].map(String),
      ]),
    ]),
    ...differenceLines(result),
    ...(sources === undefined ? [] : sourceLines(sources)),
    ...environment.map(({ sentence }) => `environment: ${sentence}`),
    ...notes.map((note) => `note: ${note}`),
    ...agreementLines(result),
    verdictLine(result),
  ];
}

function differenceLines({ differences, firstDifference }: Reproduction): readonly string[] {
  const rest = differences.length - NAMES_SHOWN;
  const step = firstDifference?.step;
  return [
    ...differences.slice(0, NAMES_SHOWN).map(({ kind, logicalKey }) => `${kind}  ${logicalKey}`),
    ...(rest > 0 ? [`and ${count(rest, 'file')} more`] : []),
    ...(step === undefined ? [] : [`the first step that differs is ${step}`]),
  ];
}

function sourceLines(sources: readonly string[]): readonly string[] {
  if (sources.length === 0) return ['sources: all are what they were'];
  return sources.map((sentence) => `source: ${sentence}`);
}

function agreementLines({ agreement }: Reproduction): readonly string[] {
  if (agreement === undefined) return [];
  const { tolerance, largest, in: place, notCompared } = agreement;
  const what = place === '' ? '' : `, in ${place}`;
  return [
    `tolerance ${String(tolerance)}: numbers are up to ${String(largest)} apart${what}`,
    ...(notCompared.length === 0 ? [] : [`not compared: ${notCompared.join(', ')}`]),
  ];
}

function verdictLine(result: Reproduction): string {
  const { name, topHash, rebuilt, scope, agreement, reproduced } = result;
  const what = `${name}@${topHash}`;
  const isExact = result.differences.length === 0 && result.firstDifference === undefined;
  if (reproduced && isExact) {
    return scope === 'data'
      ? `Reproduced: the data of ${what}, byte by byte`
      : `Reproduced: ${what}, byte by byte`;
  }
  if (reproduced)
    return `Reproduced within ${String(agreement?.tolerance)}, not byte by byte: ${what}`;
  return `Not reproduced: ${what}${rebuilt === undefined ? '' : ` came out as ${rebuilt}`}`;
}
