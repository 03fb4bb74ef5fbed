/** Rows of `models/predictions.csv`: which crops are taken for another class, and how sure the models are. */

import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { DocumentProblem, type PredictionChange, type PredictionsChange } from './comparison.ts';
import { readTable, type TableBytes, tableProblem } from './rows.ts';

const COLUMNS = ['LogicalKey', 'Class', 'Predicted'] as const;
const PROBABILITY = 'Probability:';

/** Rows of A are held, with their probabilities; a table of more is not compared. */
const MAX_ROWS = 1_000_000;
const MAX_NUMBERS = 20_000_000;

/** A table of so many classes is none of ours. */
const MAX_CLASSES = 10_000;

/** No header is longer, in bytes. */
const MAX_HEADER_BYTES = 1 << 20;

/** Steps from class to class beyond so many count as one. */
const MAX_STEPS = 1000;
const OTHER_STEPS = 'other';

/** Sorted anew when twice as many as are kept have come. */
const MIN_KEPT = 64;

interface Judged {
  readonly class: string;
  readonly predicted: string;
  /** By the number of the class among those that both sides know. */
  readonly probabilities: readonly number[];
}

/**
 * Compares what two models say of the crops that both judged. At most `maxNames` crops are named.
 * @throws DocumentProblem where one is no such table, or too long.
 */
export async function comparePredictions(
  openBefore: () => TableBytes,
  openAfter: () => TableBytes,
  maxNames: number,
): Promise<PredictionsChange> {
  const known = new Set(await classesOf(openAfter()));
  const classes = (await classesOf(openBefore())).filter((name) => known.has(name));
  const before = new Map<string, Judged>();
  for await (const [key, judged] of readJudged(openBefore(), classes)) {
    if (before.size >= MAX_ROWS || before.size * classes.length > MAX_NUMBERS) {
      throw new DocumentProblem(`${openBefore().name} has too many rows`);
    }
    before.set(key, judged);
  }
  const sum = new PredictionSum(classes, maxNames);
  for await (const [key, is] of readJudged(openAfter(), classes)) {
    const was = before.get(key);
    before.delete(key);
    if (was === undefined) sum.onlyAfter++;
    else sum.add(key, was, is);
  }
  return sum.finish(before.size);
}

class PredictionSum {
  readonly #classes: readonly string[];
  readonly #maxNames: number;
  readonly #steps = new Map<string, number>();
  #largest: { readonly change: number; readonly named: PredictionChange }[] = [];
  #judged = 0;
  #otherClass = 0;
  #rightBefore = 0;
  #rightAfter = 0;
  #changes = 0;
  onlyAfter = 0;

  constructor(classes: readonly string[], maxNames: number) {
    this.#classes = classes;
    this.#maxNames = maxNames;
  }

  add(logicalKey: string, was: Judged, is: Judged): void {
    this.#judged++;
    if (was.predicted === was.class) this.#rightBefore++;
    if (is.predicted === is.class) this.#rightAfter++;
    if (was.predicted !== is.predicted) this.#addStep(`${was.predicted} -> ${is.predicted}`);
    let [largest, change] = [0, 0];
    for (const [number, probability] of is.probabilities.entries()) {
      const own = Math.abs(probability - (was.probabilities[number] ?? 0));
      this.#changes += own;
      if (own > change) [largest, change] = [number, own];
    }
    if (change === 0 && was.predicted === is.predicted) return;
    const named = {
      ...{ logicalKey, class: is.class, before: was.predicted, after: is.predicted },
      of: this.#classes[largest] ?? '',
      probabilityBefore: was.probabilities[largest] ?? 0,
      probabilityAfter: is.probabilities[largest] ?? 0,
    };
    this.#largest.push({ change, named });
    if (this.#largest.length > 2 * Math.max(this.#maxNames, MIN_KEPT)) this.#keepLargest();
  }

  finish(onlyBefore: number): PredictionsChange {
    this.#keepLargest();
    const numbers = this.#judged * this.#classes.length;
    const sorted = [...this.#steps].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return {
      ...{ judged: this.#judged, onlyBefore, onlyAfter: this.onlyAfter },
      ...{ otherClass: this.#otherClass, rightBefore: this.#rightBefore },
      rightAfter: this.#rightAfter,
      meanChange: numbers === 0 ? 0 : this.#changes / numbers,
      largest: this.#largest.map(({ named }) => named),
      of: Object.fromEntries(sorted),
    };
  }

  #addStep(step: string): void {
    this.#otherClass++;
    const key = this.#steps.has(step) || this.#steps.size < MAX_STEPS ? step : OTHER_STEPS;
    this.#steps.set(key, (this.#steps.get(key) ?? 0) + 1);
  }

  #keepLargest(): void {
    this.#largest.sort(
      (a, b) => b.change - a.change || (a.named.logicalKey < b.named.logicalKey ? -1 : 1),
    );
    this.#largest = this.#largest.slice(0, this.#maxNames);
  }
}

async function* readJudged(
  table: TableBytes,
  classes: readonly string[],
): AsyncGenerator<readonly [key: string, judged: Judged]> {
  const columns = [
    ...COLUMNS,
    ...classes.map((name): `Probability:${string}` => `${PROBABILITY}${name}`),
  ];
  for await (const row of readTable(table, columns)) {
    const probabilities = classes.map((name) => Number(row[`${PROBABILITY}${name}`]));
    if (!probabilities.every((probability) => probability >= 0 && probability <= 1)) {
      throw new DocumentProblem(`${table.name} has what is no probability`);
    }
    const { LogicalKey, Class, Predicted } = row;
    yield [LogicalKey, { class: Class, predicted: Predicted, probabilities }];
  }
}

/** The classes that the header of a table names. */
async function classesOf({ name, bytes }: TableBytes): Promise<readonly string[]> {
  const parser = parse({ bom: true, to_line: 1, max_record_size: MAX_HEADER_BYTES });
  const source = Readable.from(bytes);
  source.on('error', (error) => parser.destroy(error));
  parser.on('close', () => source.destroy());
  const rows: AsyncIterable<readonly string[]> = source.pipe(parser);
  try {
    for await (const cells of rows) {
      const classes = cells.filter((cell) => cell.startsWith(PROBABILITY));
      if (classes.length === 0 || classes.length > MAX_CLASSES) {
        throw new DocumentProblem(`${name} has no probabilities of classes`);
      }
      return classes.map((cell) => cell.slice(PROBABILITY.length));
    }
  } catch (error) {
    throw tableProblem(name, error);
  }
  throw new DocumentProblem(`${name} is empty`);
}
