/** The files of a package that say how good its classifier is. */

import { Readable } from 'node:stream';
import { confusionChart, type HistoryRow, historyChart } from '../evaluation/charts.ts';
import { calibrationChart, precisionRecallChart, rocChart } from '../evaluation/curve-charts.ts';
import { type Evaluation, evaluate, type Mistake } from '../evaluation/evaluate.ts';
import { type Predictions, predictClasses, probabilityOf } from '../evaluation/evaluation.ts';
import { classificationReport } from '../evaluation/report.ts';
import { decodePicture } from '../images/decode.ts';
import { formatCsvRow } from '../openimages/csv.ts';
import { invariant } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import { captionedSheet } from '../summaries/captioned-sheet.ts';

/** Splits that nothing was trained on, in the order they are told. */
const JUDGED_SPLITS = ['validation', 'test'] as const;

type JudgedSplit = (typeof JUDGED_SPLITS)[number];

export interface EvaluationSubject {
  /** Predictions of one network for the examples of each split; one without examples may be absent. */
  readonly predictionsBySplit: Readonly<Partial<Record<JudgedSplit, Predictions>>>;
  readonly history: readonly HistoryRow[];
  /** Crops by their logical keys. */
  readonly crops: Tree;
}

/** The version of `models/evaluation.json`. */
const EVALUATION_VERSION = 1;

/** Rows of predictions that are written at once. */
const ROWS_AT_ONCE = 1024;

interface Judged {
  readonly split: JudgedSplit;
  readonly predictions: Predictions;
  readonly evaluation: Evaluation;
}

/**
 * Judges a classifier. Puts under `models/` the figures of each split (`evaluation.json`), its
 * predictions (`predictions.csv`) and the charts of its training (`history.json`); and of the test
 * split where it has examples, else of the validation split, the report, charts and a contact sheet
 * of the most confident mistakes, if there are any.
 */
export async function evaluationFiles(
  runtime: Runtime,
  store: Store,
  { predictionsBySplit, history, crops }: EvaluationSubject,
): Promise<Tree> {
  const judged = JUDGED_SPLITS.flatMap((split): Judged[] => {
    const predictions = predictionsBySplit[split];
    return predictions === undefined
      ? []
      : [{ split, predictions, evaluation: evaluate(predictions) }];
  });
  const reported = judged.findLast(({ evaluation }) => evaluation.examples > 0);
  const files: (readonly [string, string | Buffer])[] = [
    ['evaluation.json', formatJson(evaluationTable(judged, reported?.split))],
    ['history.json', formatJson(historyChart(history))],
  ];
  if (reported !== undefined) files.push(...(await reportFiles(runtime, store, reported, crops)));
  const rows = await store.put(Readable.from(predictionRows(runtime, judged)));
  const entries: TreeEntry[] = [{ path: 'models/predictions.csv', ...rows }];
  for (const [name, content] of files) {
    entries.push({ path: `models/${name}`, ...(await store.putBytes(content)) });
  }
  return treeOf(entries);
}

/** What `models/evaluation.json` holds: the figures of each split, and which one the files tell of. */
function evaluationTable(
  judged: readonly Judged[],
  reportedSplit: JudgedSplit | undefined,
): object {
  return {
    version: EVALUATION_VERSION,
    reportedSplit: reportedSplit ?? null,
    splits: Object.fromEntries(judged.map(({ split, evaluation }) => [split, evaluation])),
  };
}

/** Report, charts and contact sheet of one split, by their names below `models/`. */
async function reportFiles(
  runtime: Runtime,
  store: Store,
  { split, predictions, evaluation }: Judged,
  crops: Tree,
): Promise<readonly (readonly [string, string | Buffer])[]> {
  const { perClass, averages, classes, confusionMatrix, calibration } = evaluation;
  invariant(averages !== null, `the split ${split} has no examples`);
  const files: (readonly [string, string | Buffer])[] = [
    ['classification_report.txt', classificationReport(perClass, averages)],
    ['confusion_matrix.json', formatJson(confusionChart(classes, confusionMatrix, split))],
    ['roc.json', formatJson(rocChart(predictions, split))],
    ['precision_recall.json', formatJson(precisionRecallChart(predictions, split))],
    ['calibration.json', formatJson(calibrationChart(calibration, split))],
  ];
  const { mostConfidentMistakes: shown, mistakes, examples } = evaluation;
  if (shown.length === 0) return files;
  const title = `${String(mistakes)} of ${String(examples)} wrong (${split}), the most confident first`;
  return [...files, ['mistakes.jpg', await mistakeSheet(runtime, store, { title, shown, crops })]];
}

interface MistakeSubject {
  readonly title: string;
  readonly shown: readonly Mistake[];
  readonly crops: Tree;
}

async function mistakeSheet(
  runtime: Runtime,
  store: Store,
  { title, shown, crops }: MistakeSubject,
): Promise<Buffer> {
  const tiles = shown.map(({ logicalKey, truth, predicted, probability }) => ({
    read: async () => {
      runtime.signal.throwIfAborted();
      return await decodePicture(await store.read(entryAt(crops, logicalKey).digest));
    },
    caption: [truth, `-> ${predicted}`, `probability ${probability.toFixed(4)}`],
  }));
  return await captionedSheet(title, tiles);
}

/** `models/predictions.csv`: an example a row, in the order given, split by split. */
function* predictionRows(runtime: Runtime, judged: readonly Judged[]): Generator<Uint8Array> {
  const classes = judged[0]?.predictions.classes ?? [];
  const columns = ['LogicalKey', 'ImageID', 'Split', 'Class', 'Predicted'];
  let text = formatCsvRow([...columns, ...classes.map((name) => `Probability:${name}`)]);
  let rows = 0;
  for (const { split, predictions } of judged) {
    const isSame = JSON.stringify(predictions.classes) === JSON.stringify(classes);
    invariant(isSame, 'splits have different classes');
    const predicted = predictClasses(predictions);
    for (const [example, { logicalKey, imageId, truth }] of predictions.examples.entries()) {
      text += formatCsvRow([
        ...[logicalKey, imageId, split],
        ...[classes[truth] ?? '', classes[predicted[example] ?? 0] ?? ''],
        ...classes.map((_, index) => probabilityOf(predictions, example, index)),
      ]);
      if (++rows % ROWS_AT_ONCE > 0) continue;
      runtime.signal.throwIfAborted();
      yield Buffer.from(text);
      text = '';
    }
  }
  yield Buffer.from(text);
}

function formatJson(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
