/** What became of rows of a package's tables, a sentence each. */
import type { Comparison } from '../index.ts';
import { printable } from './printable.ts';
import { count } from './text.ts';

type PhotoRows = Comparison['photos'][number];
type CropRows = Comparison['crops'][number];

const SORTS_SHOWN = 8;

/** Such as `12 photos died (missing 9, corrupt 3)` or `40 crops new in Apple`. */
export function rowsSentence(rows: PhotoRows | CropRows): string {
  switch (rows.change) {
    case 'died':
      return `${count(rows.rows, 'photo')} died (${sorts(rows)})`;
    case 'came-back':
      return `${count(rows.rows, 'photo')} came back (from ${sorts(rows)})`;
    case 'other-status':
      return `${count(rows.rows, 'photo has', 'photos have')} another status (${sorts(rows)})`;
    case 'photo-bytes':
      return `${count(rows.rows, 'photo has', 'photos have')} other bytes (${sorts(rows)})`;
    case 'selected':
      return `${count(rows.rows, 'photo')} newly selected (${sorts(rows)})`;
    case 'deselected':
      return `${count(rows.rows, 'photo')} no longer selected (${sorts(rows)})`;
    case 'new':
      return `${count(rows.rows, 'crop')} new${classes('in', rows)}`;
    case 'gone':
      return `${count(rows.rows, 'crop')} gone${classes('from', rows)}`;
    case 'relabelled':
      return `${count(rows.rows, 'box', 'boxes')} relabelled (${sorts(rows)})`;
    case 'other-class':
      return `${count(rows.rows, 'box counts', 'boxes count')} for another class (${sorts(rows)})`;
    case 'other-split':
      return `${count(rows.rows, 'crop')} changed ${rows.rows === 1 ? 'its' : 'their'} split (${sorts(rows)})`;
    case 'crop-bytes':
      return `${count(rows.rows, 'crop has', 'crops have')} other bytes (${sorts(rows)})`;
    case 'other-reason':
      return `${count(rows.rows, 'box has', 'boxes have')} no crop for another reason (${sorts(rows)})`;
    case 'box-new':
      return `${count(rows.rows, 'box', 'boxes')} new, without a crop (${sorts(rows)})`;
    case 'box-gone':
      return `${count(rows.rows, 'box', 'boxes')} gone, without a crop before (${sorts(rows)})`;
  }
}

/** ` in Apple`, or `: Apple 30, Orange 10` for several. */
function classes(preposition: string, rows: CropRows): string {
  const [only, second] = Object.keys(rows.of);
  if (only !== undefined && second === undefined) return ` ${preposition} ${printable(only)}`;
  return `: ${sorts(rows)}`;
}

function sorts({ of }: PhotoRows | CropRows): string {
  const all = Object.entries(of).map(([sort, rows]) => `${printable(sort)} ${String(rows)}`);
  const rest = all.length - SORTS_SHOWN;
  const shown = all.slice(0, SORTS_SHOWN).join(', ');
  return rest > 0 ? `${shown}, ${String(rest)} sorts more` : shown;
}
