/** Charts as data: ROC, precision and recall, and calibration as Vega-Lite. */
import type { Calibration } from './calibration.ts';
import { VEGA_LITE } from './charts.ts';
import { countByScore, precisionRecallCurve, rocCurve, thinIndices } from './curves.ts';
import { classesWithCurves } from './evaluate.ts';
import type { Predictions } from './evaluation.ts';

/** Colours that people with any colour vision tell apart (Okabe and Ito, 2008). */
const CLASS_COLOURS = [
  ...['#0072b2', '#d55e00', '#009e73', '#cc79a7'],
  ...['#e69f00', '#56b4e9', '#000000', '#f0e442'],
];
const CHANCE_COLOUR = '#b8b8b8';

const MAX_CURVES = CLASS_COLOURS.length;
const MAX_POINTS = 500;

const SIDE_PX = 400;

/** A point of a curve; points are joined by `order`. An infinite threshold is null. */
interface CurvePoint {
  readonly class: string;
  readonly order: number;
  readonly x: number;
  readonly y: number;
  readonly threshold: number | null;
}

/** The drawn curve of one class: its name with its area, and at most 500 of its points. */
interface DrawnCurve {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

/** ROC curves: of the second of two classes, or of each class against the rest. */
export function rocChart(predictions: Predictions, split: string): object {
  const curves = classesDrawn(predictions).flatMap((index) => {
    const curve = rocCurve(countByScore(predictions, index));
    if (curve === null) return [];
    const { falsePositiveRate: x, truePositiveRate: y, thresholds, auc } = curve;
    return [drawCurve(predictions.classes[index] ?? '', `AUC ${auc.toFixed(4)}`, x, y, thresholds)];
  });
  const chance = [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
  ];
  return {
    ...frame(titleOf('ROC curves', predictions), split, [
      'false positive rate',
      'true positive rate',
    ]),
    layer: [referenceLine(chance), curveLayer(curves, 'linear')],
  };
}

/** Precision over recall: of the second of two classes, or of each class against the rest. */
export function precisionRecallChart(predictions: Predictions, split: string): object {
  const curves = classesDrawn(predictions).flatMap((index) => {
    const curve = precisionRecallCurve(countByScore(predictions, index));
    if (curve === null) return [];
    const { recall: x, precision: y, thresholds, averagePrecision } = curve;
    const area = `AP ${averagePrecision.toFixed(4)}`;
    return [drawCurve(predictions.classes[index] ?? '', area, x, y, thresholds)];
  });
  return {
    ...frame(titleOf('Precision and recall', predictions), split, ['recall', 'precision']),
    layer: [curveLayer(curves, 'step-after')],
  };
}

/** How often examples of a probability are what it is of, against the diagonal of a perfect one. */
export function calibrationChart(calibration: Calibration, split: string): object {
  const { bins, expectedCalibrationError: error, of } = calibration;
  const values = bins.flatMap(({ meanProbability: x, fractionTrue: y, examples, lower, upper }) =>
    x === null || y === null ? [] : [{ x, y, examples, lower, upper }],
  );
  const perfect = [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
  ];
  const data = { values };
  const tooltip = { content: 'data' };
  const points = {
    data,
    mark: { type: 'point', filled: true, opacity: 1, color: CLASS_COLOURS[0], tooltip },
    encoding: {
      size: {
        field: 'examples',
        type: 'quantitative',
        scale: { range: [30, 400] },
      },
    },
  };
  const title = error === null ? 'Calibration' : `Calibration, expected error ${error.toFixed(4)}`;
  return {
    ...frame(title, split, [`mean probability of the ${of}`, 'fraction of that class']),
    layer: [
      referenceLine(perfect),
      { data, mark: { type: 'line', color: CLASS_COLOURS[0] } },
      points,
    ],
  };
}

/** Up to eight classes with a curve, as indices in order: those with the most examples. */
function classesDrawn(predictions: Predictions): readonly number[] {
  const supports = predictions.classes.map(() => 0);
  for (const { truth } of predictions.examples) supports[truth] = (supports[truth] ?? 0) + 1;
  const support = (index: number) => supports[index] ?? 0;
  return [...classesWithCurves(predictions)]
    .sort((a, b) => support(b) - support(a) || a - b)
    .slice(0, MAX_CURVES)
    .sort((a, b) => a - b);
}

/** Says so where not all classes are drawn. */
function titleOf(what: string, predictions: Predictions): string {
  const all = classesWithCurves(predictions).length;
  if (all <= MAX_CURVES) return what;
  return `${what}, the ${String(MAX_CURVES)} largest of ${String(all)} classes`;
}

function drawCurve(
  className: string,
  area: string,
  x: Float64Array,
  y: Float64Array,
  thresholds: Float64Array,
): DrawnCurve {
  const name = `${className} (${area})`;
  const points = thinIndices(x.length, MAX_POINTS).map((index, order) => {
    const threshold = thresholds[index] ?? Infinity;
    return {
      class: name,
      order,
      x: x[index] ?? 0,
      y: y[index] ?? 0,
      threshold: threshold === Infinity ? null : threshold,
    };
  });
  return { name, points };
}

function curveLayer(curves: readonly DrawnCurve[], interpolate: 'linear' | 'step-after'): object {
  const domain = curves.map(({ name }) => name);
  const range = domain.map((_, index) => CLASS_COLOURS[index]);
  return {
    data: { values: curves.flatMap(({ points }) => points) },
    mark: { type: 'line', interpolate, clip: true, tooltip: { content: 'data' } },
    encoding: {
      color: {
        field: 'class',
        type: 'nominal',
        title: null,
        scale: { domain, range },
        legend: { labelLimit: 400 },
      },
      order: { field: 'order', type: 'quantitative' },
    },
  };
}

function referenceLine(values: readonly { readonly x: number; readonly y: number }[]): object {
  return { data: { values }, mark: { type: 'line', color: CHANCE_COLOUR, strokeDash: [4, 4] } };
}

/** What these charts share: a square of fractions. */
function frame(title: string, split: string, axes: readonly [string, string]): object {
  const axis = (field: string, name: string) => ({
    field,
    type: 'quantitative',
    title: name,
    scale: { domain: [0, 1] },
  });
  return {
    $schema: VEGA_LITE,
    description: `${title}, of the ${split} split.`,
    title: `${title} (${split})`,
    width: SIDE_PX,
    height: SIDE_PX,
    encoding: { x: axis('x', axes[0]), y: axis('y', axes[1]) },
  };
}
