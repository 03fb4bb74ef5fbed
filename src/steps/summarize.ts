/** The summarize step: the data card, charts and contact sheets of a data set. */
import type { SelectionCounts } from '../openimages/boxes.ts';
import { collectRows, readCsv } from '../openimages/csv.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import { classCountsChart, hierarchyChart } from '../summaries/charts.ts';
import { dataCard } from '../summaries/data-card.ts';
import { cropSheet, photoSheet } from '../summaries/sheets.ts';
import { type CropFacts, type NamedNode, summarize } from '../summaries/summaries.ts';
import { CROPS_COLUMNS } from './crops-table.ts';
import { readImagesTable } from './fetch-record.ts';
import type { StepInputs, StepOutputs, StepSpec } from './step.ts';

type SummarizeParams = Extract<StepSpec, { name: 'summarize' }>['params'];

/**
 * Describes a data set for people. Outputs `summaries`: `README.md`, `quilt_summarize.json` and
 * charts and sheets under `summaries/`.
 */
export async function summarizeDataset(
  runtime: Runtime,
  store: Store,
  params: SummarizeParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const selection = inputs['selection'] ?? [];
  const open = (tree: Tree | undefined, path: string) =>
    fileBytes(store.path(entryAt(tree ?? [], path).digest), runtime.signal);
  const images = await readImagesTable(open(inputs['images'], 'images.csv'));
  const crops = await collectRows(readCsv(open(inputs['crops'], 'crops.csv'), CROPS_COLUMNS));
  const labels = await collectRows(
    readCsv(open(selection, 'classes.csv'), ['LabelName', 'DisplayName', 'Class']),
  );
  const counts = await readJson<SelectionCounts>(store, entryAt(selection, 'counts.json'));
  const summary = summarize({ ...params, selection: counts }, labels, images, crops);
  const subject = { classes: summary.classes, images, crops, seed: params.seed };
  const files: (readonly [string, string | Buffer])[] = [
    ['README.md', dataCard(summary)],
    ['summaries/class_counts.json', formatJson(classCountsChart(summary))],
    ['summaries/crops.png', await cropSheet(runtime, store, subject)],
    ['summaries/photos.png', await photoSheet(runtime, store, subject)],
  ];
  const hierarchy = selection.find(({ path }) => path === 'hierarchy.json');
  if (hierarchy !== undefined) {
    const root = await readJson<NamedNode>(store, hierarchy);
    const chosen = new Set(labels.map(({ LabelName }) => LabelName));
    files.push(['summaries/class_hierarchy.json', formatJson(hierarchyChart(root, chosen))]);
  }
  const paths = [...files.map(([path]) => path), ...modelPaths(params, crops)];
  files.push(['quilt_summarize.json', formatJson(quiltSummary(paths))]);
  const entries: TreeEntry[] = [];
  for (const [path, content] of files) entries.push({ path, ...(await store.putBytes(content)) });
  return { summaries: treeOf(entries) };
}

/** Files of the model that there will be, whatever the training gives. */
function modelPaths({ engine }: SummarizeParams, crops: readonly CropFacts[]): readonly string[] {
  if (engine === undefined) return [];
  const isJudged = crops.some(({ Split }) => Split === 'validation' || Split === 'test');
  const charts = ['confusion_matrix', 'roc', 'precision_recall', 'calibration'];
  const judged = [...charts.map((name) => `${name}.json`), 'classification_report.txt'];
  return ['history.json', ...(isJudged ? judged : [])].map((name) => `models/${name}`);
}

/** What Quilt's catalog shows of the package, row by row (`quilt_summarize.json`). */
function quiltSummary(paths: readonly string[]): readonly object[] {
  const known: readonly { path: string; title: string; types?: readonly string[] }[] = [
    { path: 'summaries/crops.png', title: 'Crops of each class' },
    { path: 'summaries/photos.png', title: 'Photos with their boxes' },
    { path: 'summaries/class_counts.json', title: 'Crops per class', types: ['vega'] },
    { path: 'summaries/class_hierarchy.json', title: 'Class hierarchy', types: ['vega'] },
    { path: 'models/history.json', title: 'Training history', types: ['vega'] },
    { path: 'models/confusion_matrix.json', title: 'Confusion matrix', types: ['vega'] },
    { path: 'models/roc.json', title: 'ROC curves', types: ['vega'] },
    { path: 'models/precision_recall.json', title: 'Precision and recall', types: ['vega'] },
    { path: 'models/calibration.json', title: 'Calibration', types: ['vega'] },
    { path: 'models/classification_report.txt', title: 'Classification report' },
  ];
  return known.filter(({ path }) => paths.includes(path)).map((row) => ({ ...row, expand: true }));
}

function formatJson(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

async function readJson<T>(store: Store, entry: TreeEntry): Promise<T> {
  return JSON.parse(await store.readText(entry.digest)) as T;
}
