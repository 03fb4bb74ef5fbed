/** The tables of the sample, in the files and formats of Open Images V4. */

import { createHash } from 'node:crypto';
import { Random } from './drawing/random.mjs';

/** @import { Mess, Spec } from './drawing/plan.mjs' */
/** @import { Box } from './drawing/pen.mjs' */
/** @import { Seen } from './drawing/stage.mjs' */
/**
 * @typedef {{ id: string, file: string, spec: Spec, seen: Seen[], original: Buffer,
 *   served: Buffer | undefined }} Photo
 * @typedef {{ LabelName: string, Subcategory?: Node[], Part?: Node[] }} Node
 * @typedef {string[]} Row
 */

const MIDS = /** @type {Record<string, string>} */ ({
  Apple: '/m/014j1m',
  Cat: '/m/01yrx',
  'Coffee cup': '/m/02p5f1q',
  Drink: '/m/0271t',
  'Fast food': '/m/01_bhs',
  Food: '/m/02wbm',
  'French fries': '/m/02y6n',
  Fruit: '/m/02xwb',
  Hamburger: '/m/0cdn1',
  'Picture frame': '/m/06z37_',
  Plate: '/m/050gv4',
  Sandwich: '/m/0l515',
  'Submarine sandwich': '/m/06pcq',
  Tomato: '/m/07j87',
});

const ROOT = '/m/0bl9f';

const IMAGE_COLUMNS =
  'ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,' +
  'OriginalSize,OriginalMD5,Thumbnail300KURL,Rotation';
const BOX_COLUMNS =
  'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,' +
  'IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside';
const LICENSE = 'https://creativecommons.org/publicdomain/zero/1.0/';

const DISHES = {
  burger: ['burger', 'cheeseburger', 'hamburger', 'double with everything'],
  sandwich: ['sandwich', 'club sandwich', 'ham and cheese', 'packed lunch'],
  long: ['baguette', 'footlong', 'filled roll'],
  submarine: ['submarine sandwich', 'sub'],
};

/** @type {((dish: string) => string)[]} */
const PHRASES = [
  (dish) => `A ${dish} at last`,
  (dish) => `My ${dish}, your ${dish}`,
  (dish) => `The "${dish}" of the day`,
  (dish) => `${dish} no. 7`,
  (dish) => `Still life with ${dish}`,
  (dish) => `Who ordered the ${dish}?`,
  (dish) => `${dish} | table 12`,
  (dish) => `Ode to a ${dish}, op. 3`,
];

const ODD_TITLES = [
  '',
  ' lunch with a blank before it',
  'Smørrebrød? Nej, tak.',
  '昼ごはん 🍴',
  'Say "cheese", please',
  '=SUM(lunch)',
  'C:\\lunch\\best.jpg',
  'Обед, наконец',
  '🥪🍔🥪',
  'Café à la plage',
  "Grandma's recipe",
  'IMG_2041',
  '-',
  'غداء',
];

/** @param {string} value */
const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** @param {Row[]} rows */
const csv = (rows) => rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');

/** @param {string} label */
function midOf(label) {
  const mid = MIDS[label];
  if (!mid) throw new Error(`no MID for ${label}`);
  return mid;
}

/**
 * Every fourth photo has one of the odd titles.
 * @param {Photo} photo
 * @param {number} index
 */
function titleOf({ id, spec }, index) {
  const rng = new Random(`title ${id}`);
  if (index % 4 === 1) return ODD_TITLES[Math.floor(index / 4) % ODD_TITLES.length] ?? '';
  const kind = spec.mains.length > 0 ? rng.pick(spec.mains) : undefined;
  const title = rng.pick(PHRASES)(kind ? rng.pick(DISHES[kind]) : 'clean plate');
  return title.charAt(0).toUpperCase() + title.slice(1);
}

/** @param {Mess | undefined} mess */
function rotationOf(mess) {
  if (mess === 'unknown rotation') return '';
  return mess === 'turned' ? '90.0' : '0.0';
}

/** @param {Photo[]} photos */
export function imagesTable(photos) {
  const rows = photos.map((photo, index) => {
    const url = `images/${photo.file}`;
    const md5 = createHash('md5').update(photo.original).digest('base64');
    const thumbnail = new Random(`thumbnail ${photo.id}`).chance(0.8) ? url : '';
    const about = [LICENSE, '', 'pkg sample', titleOf(photo, index)];
    const bytes = [String(photo.original.length), md5];
    const rotation = rotationOf(photo.spec.mess);
    return [photo.id, 'train', url, 'README.md', ...about, ...bytes, thumbnail, rotation];
  });
  return `${IMAGE_COLUMNS}\n${csv(rows)}`;
}

/**
 * A box of the upright picture in the stored one, which is turned clockwise.
 * @param {Box} box
 * @returns {Box}
 */
const turned = ({ x0, y0, x1, y1 }) => ({ x0: 1 - y1, y0: x0, x1: 1 - y0, y1: x1 });

/** @param {Photo} photo @param {Seen} seen @param {Random} rng @returns {Row} */
function boxRow({ id, spec }, seen, rng) {
  const { x0, y0, x1, y1 } = spec.mess === 'turned' ? turned(seen.box) : seen.box;
  const right = spec.mess === 'beyond the edge' && x1 === 1 ? 1.000938 : x1;
  const flags = [seen.occluded, seen.truncated, seen.group, seen.depiction, false];
  const unknown = spec.mess === 'unknown flags';
  return [
    id,
    rng.chance(0.1) ? 'activemil' : 'xclick',
    midOf(seen.label),
    '1',
    ...[x0, right, y0, y1].map((value) => value.toFixed(6)),
    ...flags.map((flag) => (unknown ? '-1' : String(Number(flag)))),
  ];
}

/**
 * The rows of one photo, with those that should not be there.
 * @param {Photo} photo
 * @returns {Row[]}
 */
function boxRows(photo) {
  const rng = new Random(`rows ${photo.id}`);
  const rows = photo.seen.map((seen) => boxRow(photo, seen, rng));
  const main = photo.seen.findIndex(({ label }) => label === 'Hamburger' || label === 'Sandwich');
  const row = rows[main];
  if (row && photo.spec.mess === 'repeated row') rows.splice(main, 0, [...row]);
  if (row && photo.spec.mess === 'zero width') {
    const line = [...row];
    line[5] = line[4] ?? '';
    rows.push(line);
  }
  return rows;
}

/** Rows whose photo is not in the images table. @returns {Row[]} */
function orphanRows() {
  const rng = new Random('orphans');
  return ['Hamburger', 'Sandwich'].map((label) => {
    const box = ['0.210938', '0.743750', '0.262500', '0.804167'];
    return [rng.hex(16), 'xclick', midOf(label), '1', ...box, '0', '0', '0', '0', '0'];
  });
}

/** @param {Photo[]} photos */
export function boxesTable(photos) {
  const rows = [...photos.flatMap(boxRows), ...orphanRows()];
  const inOrder = rows.sort(([a = ''], [b = '']) => (a < b ? -1 : Number(a > b)));
  return `${BOX_COLUMNS}\n${csv(inOrder)}`;
}

/** MID and name of each class, by MID. */
export function classesTable() {
  const rows = Object.entries(MIDS).map(([name, mid]) => [mid, name]);
  return csv(rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)));
}

/** The tree of the classes. As in the real one, a class may stand in two places. */
export function hierarchy() {
  /** @type {(label: string, below?: Node[], parts?: Node[]) => Node} */
  const node = (label, below, parts) => ({
    LabelName: midOf(label),
    ...(below && { Subcategory: below }),
    ...(parts && { Part: parts }),
  });
  const sandwiches = [node('Hamburger'), node('Submarine sandwich')];
  const fastFood = [node('French fries'), node('Sandwich', sandwiches, [node('Tomato')])];
  const food = [node('Fast food', fastFood), node('Fruit', [node('Apple'), node('Tomato')])];
  const others = ['Cat', 'Coffee cup', 'Drink', 'Picture frame', 'Plate'].map((label) =>
    node(label),
  );
  const root = { LabelName: ROOT, Subcategory: [...others, node('Food', food)] };
  return JSON.stringify(root, null, 4);
}
