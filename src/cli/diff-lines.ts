/** A comparison as lines for a person: words first, then files. */
import type { Comparison } from '../index.ts';
import { diffFileLines } from './diff-files.ts';
import { predictionLines } from './diff-predictions.ts';
import { rowsSentence } from './diff-sentences.ts';
import { printable } from './printable.ts';
import { columns, count, formatBytes } from './text.ts';

type Side = Comparison['a'];
type Value = Comparison['parameters'][number];
type Metric = Comparison['metrics'][number];
type Rows = (Comparison['photos'] | Comparison['crops'])[number];

const VALUES_SHOWN = 20;
const MAX_VALUE_LENGTH = 80;

/** Of a top hash or digest; enough to tell it by. */
const HASH_DIGITS = 12;

/** Digits after the point of a figure, unless two figures differ only beyond them. */
const METRIC_DIGITS = 4;

/** The whole comparison, a section for each thing that differs. */
export function diffLines(comparison: Comparison): readonly string[] {
  const { a, b, same, header, parameters, metrics, predictions } = comparison;
  const { photos, crops, files, notes } = comparison;
  const sides = columns([sideCells('A', a), sideCells('B', b)]).split('\n');
  const unlike = notes.map((note) => `note: ${printable(note)}`);
  if (same) return [...sides, '', 'no difference', ...unlike];
  return [
    ...sides,
    ...section(
      'header',
      few(header, (shown) => shown.map(valueLine)),
    ),
    ...section(
      'parameters',
      few(parameters, (shown) => shown.map(valueLine)),
    ),
    ...section('metrics', few(metrics, metricLines)),
    ...section('predictions', predictions === undefined ? [] : predictionLines(predictions)),
    ...section('photos', photos.flatMap(rowsLines)),
    ...section('crops', crops.flatMap(rowsLines)),
    ...section('files', diffFileLines(files)),
    ...(unlike.length === 0 ? [] : ['', ...unlike]),
  ];
}

function sideCells(letter: string, { name, topHash, where, files, sizeBytes }: Side): string[] {
  const hash = topHash === undefined ? '' : `@${topHash.slice(0, HASH_DIGITS)}`;
  const what = name === undefined ? 'files' : topHash === undefined ? `files of ${name}` : name;
  const place = printable(where);
  return [letter, `${what}${hash}`, place, `${count(files, 'file')}, ${formatBytes(sizeBytes)}`];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  const filled = lines.filter((line) => line !== '');
  return filled.length === 0 ? [] : ['', title, ...filled.map((line) => `  ${line}`)];
}

function few<T>(
  all: readonly T[],
  toLines: (shown: readonly T[]) => readonly string[],
): readonly string[] {
  const rest = all.length - VALUES_SHOWN;
  const lines = toLines(all.slice(0, VALUES_SHOWN));
  return rest > 0 ? [...lines, `and ${String(rest)} more, see --json`] : lines;
}

function valueLine({ key, before, after }: Value): string {
  return `${printable(key)}: ${valueText(before)} -> ${valueText(after)}`;
}

function valueText(value: Value['before']): string {
  if (value === undefined) return 'not set';
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value.slice(0, HASH_DIGITS);
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}

function metricLines(metrics: readonly Metric[]): readonly string[] {
  return columns(metrics.map(metricCells)).split('\n');
}

function metricCells({ key, before, after }: Metric): string[] {
  const [was, is] = [figure(before), figure(after)];
  if (before === undefined || after === undefined) return [printable(key), `${was} -> ${is}`];
  const isTold = was !== is;
  const change = isTold ? figure(Number(is) - Number(was)) : String(after - before);
  const sign = after > before ? '+' : '';
  const figures = isTold ? `${was} -> ${is}` : `${String(before)} -> ${String(after)}`;
  return [printable(key), figures, `(${sign}${change})`];
}

function figure(value: number | undefined): string {
  return value === undefined ? 'none' : String(Number(value.toFixed(METRIC_DIGITS)));
}

/** New and gone crops are named among the files. */
function rowsLines(rows: Rows): readonly string[] {
  const sentence = rowsSentence(rows);
  if (rows.change === 'new' || rows.change === 'gone') return [sentence];
  const names = rows.names.map((name) => printable(name.slice(name.lastIndexOf('/') + 1)));
  const rest = rows.rows - names.length;
  const more = rest > 0 ? ` and ${String(rest)} more` : '';
  return [sentence, `  ${names.join(', ')}${more}`];
}
