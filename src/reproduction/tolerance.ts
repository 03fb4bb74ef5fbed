/** Numbers in two versions of a file, compared within a tolerance where bytes cannot be the same. */
import type { OpenedPackage } from '../installation/opened-package.ts';
import { entryUnder } from '../installation/opened-package.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Agreement, EntryDifference } from './reproduction.ts';

/** Follows from the files of a model, so it says nothing of its own. */
const DERIVED = ['provenance.json'];

const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g;

/**
 * Whether differing files below `models/` agree in their numbers: weights as 32-bit floats; tables, JSON and
 * reports by the numbers in their text, what stands between them being the same. All other files have to be
 * the same; those that hold no numbers to compare, such as charts as pictures, are named.
 */
export async function compareWithin(
  tolerance: number,
  published: OpenedPackage,
  rebuilt: OpenedPackage,
  differences: readonly EntryDifference[],
): Promise<Agreement> {
  let largest = 0;
  let place = '';
  let isWithin = true;
  const notCompared: string[] = [];
  for (const { logicalKey, kind } of differences) {
    if (DERIVED.includes(logicalKey)) continue;
    if (kind !== 'differs' || !logicalKey.startsWith('models/')) {
      isWithin = false;
      continue;
    }
    const [a, b] = await Promise.all([readOf(published, logicalKey), readOf(rebuilt, logicalKey)]);
    const apart = distance(logicalKey, a, b);
    if (apart === undefined) notCompared.push(logicalKey);
    else if (!(apart <= largest)) {
      largest = apart;
      place = logicalKey;
    }
  }
  isWithin &&= largest <= tolerance;
  return { tolerance, isWithin, largest, in: place, notCompared };
}

/**
 * The largest absolute difference of numbers at the same place in two files; infinite where they are not
 * built alike, undefined where they hold none that could be compared.
 */
export function distance(logicalKey: string, a: Buffer, b: Buffer): number | undefined {
  if (logicalKey.endsWith('.bin')) return distanceOf(floatsOf(a), floatsOf(b));
  if (!/\.(?:csv|json|txt)$/.test(logicalKey)) return undefined;
  const [textA, textB] = [a.toString('utf8'), b.toString('utf8')];
  if (textA.replace(NUMBER, '') !== textB.replace(NUMBER, '')) return Number.POSITIVE_INFINITY;
  return distanceOf(numbersIn(textA), numbersIn(textB));
}

function numbersIn(text: string): readonly number[] {
  return (text.match(NUMBER) ?? []).map(Number);
}

function floatsOf(bytes: Buffer): readonly number[] {
  const count = Math.floor(bytes.length / 4);
  return Array.from({ length: count }, (_, index) => bytes.readFloatLE(index * 4));
}

function distanceOf(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, value, index) => {
    const apart = Math.abs(value - (b[index] ?? Number.NaN));
    return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(most, apart);
  }, 0);
}

async function readOf(opened: OpenedPackage, logicalKey: string): Promise<Buffer> {
  const entry = entryUnder(opened.pkg, logicalKey);
  if (entry !== undefined) return await opened.read(entry);
  throw new PkgError('not-found', `${opened.where} has no ${logicalKey}`);
}
