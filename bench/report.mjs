// A benchmark's result: the figures of each contestant, the ratios, and both as text.
import { median, ratioOf } from './measure.mjs';

/** What can be measured of any run. */
export const METRICS = {
  time: { label: 'time', of: (run) => run.seconds, format: (value) => `${value.toFixed(2)} s` },
  cpu: {
    label: 'CPU time',
    of: (run) => run.cpuSeconds,
    format: (value) => `${value.toFixed(2)} s`,
  },
  memory: {
    label: 'peak memory',
    of: (run) => run.peakBytes,
    format: (value) => `${Math.round(value / 1e6)} MB`,
  },
};

/**
 * The figures and ratios of a benchmark as plain data. `runs` and `names` are by contestant,
 * `metrics` by key as METRICS; `pairs` are `[ours, theirs, sentence]`, the last a function from the
 * ratios, as text by metric, to a sentence.
 */
export function makeResult({ title, notes, metrics, names, runs, pairs }) {
  const valuesOf = (contestant) =>
    mapValues(metrics, (metric) => runs[contestant].map((run) => metric.of(run)));
  const figures = Object.entries(names).map(([contestant, name]) => {
    const rounds = valuesOf(contestant);
    return { name, medians: mapValues(rounds, median), rounds };
  });
  const comparisons = pairs.map(([ours, theirs, sentence]) => {
    const [a, b] = [valuesOf(ours), valuesOf(theirs)];
    const ratios = mapValues(metrics, (_, key) => ratioOf(a[key], b[key]));
    const words = mapValues(ratios, ({ ratio }) => `${ratio.toFixed(2)} x`);
    return { ours: names[ours], theirs: names[theirs], ratios, sentence: sentence(words) };
  });
  return { title, notes, figures, comparisons };
}

/** A result for a person. */
export function formatResult({ title, notes, figures, comparisons }, metrics) {
  const keys = Object.keys(metrics);
  const labels = keys.map((key) => metrics[key].label);
  const medians = figures.map(({ name, medians: values }) => [
    name,
    ...keys.map((key) => metrics[key].format(values[key])),
  ]);
  const ratios = comparisons.map((comparison) => [
    `${comparison.ours} / ${comparison.theirs}`,
    ...keys.map((key) => formatRatio(comparison.ratios[key])),
  ]);
  return [
    title,
    ...notes.map((note) => `  ${note}`),
    '',
    formatTable([['medians', ...labels], ...medians]),
    '',
    formatTable([['ratios of medians (least to most of a round)', ...labels], ...ratios]),
    '',
    ...comparisons.map(({ sentence }) => sentence),
  ].join('\n');
}

export function formatRatio({ ratio, min, max }) {
  return `${ratio.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

/** Rows of cells in columns, the first to the left, the others to the right. */
export function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell, column) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => row.map(pad).join('  ')).join('\n');
}

export function mapValues(object, fn) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fn(value, key)]));
}
