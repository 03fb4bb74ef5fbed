// Figures of several trainings: means with their errors, and rows of a Markdown table.

export function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample's standard deviation. */
export function deviationOf(values) {
  const mean = meanOf(values);
  const squares = values.map((value) => (value - mean) ** 2);
  return Math.sqrt(squares.reduce((sum, it) => sum + it, 0) / (values.length - 1));
}

/** The standard error of the mean. */
export function errorOf(values) {
  return deviationOf(values) / Math.sqrt(values.length);
}

export const percent = (fraction) => (100 * fraction).toFixed(1);
export const row = (cells) => `| ${cells.join(' | ')} |`;
