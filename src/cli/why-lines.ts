/** Why a file is in a package, as lines for a person. */
import type { FileLineage } from '../index.ts';
import { printable } from './printable.ts';
import { columns, count, formatBytes, tallies } from './text.ts';

/** Of hashes; enough to tell them by. */
const HASH_DIGITS = 12;
const CROPS_SHOWN = 12;

type Cell = readonly [label: string, text: string];

export function whyLines(lineage: FileLineage): readonly string[] {
  const { name, topHash, where, logicalKey, sizeBytes, hash, sha256, unknown } = lineage;
  const rows: Cell[] = [
    ['of', `${name}@${topHash.slice(0, HASH_DIGITS)} in ${where}`],
    [
      'bytes',
      `${formatBytes(sizeBytes)}, ${sha256 === undefined ? hash.type : 'SHA-256'} ${sha256 ?? hash.value}`,
    ],
    ...stepCells(lineage),
    ...cropCells(lineage),
    ...photoCells(lineage),
    ...modelCells(lineage),
    ...originCells(lineage),
  ];
  const told = rows
    .filter(([, text]) => text !== '')
    .map(([label, text]) => [label, printable(text)]);
  return [
    printable(logicalKey),
    ...columns(told)
      .split('\n')
      .map((line) => `  ${line}`),
    ...unknown.map((why) => `not known: ${printable(why)}`),
  ];
}

function stepCells({ step, parameters }: FileLineage): readonly Cell[] {
  if (step === undefined) return [];
  const key = step.key === undefined ? '' : `, step key ${step.key.slice(0, HASH_DIGITS)}`;
  const isShown = parameters !== undefined && ['crop', 'split'].includes(step.name);
  return [
    ['made by', `step ${step.name}${key}`],
    ['with', isShown ? JSON.stringify(parameters) : ''],
  ];
}

function cropCells({ crop, crops }: FileLineage): readonly Cell[] {
  if (crop !== undefined) {
    const { box, rectangle, rotation, flags, displayName, labelName, split } = crop;
    const label = displayName === '' || displayName === crop.class ? '' : `${displayName} `;
    const turned = ['', '0', '0.0'].includes(rotation) ? '' : `, turned by ${rotation} degrees`;
    return [
      ['class', `${crop.class} (${label}${labelName})`],
      ['split', split],
      [
        'box',
        `x ${box.xMin} to ${box.xMax}, y ${box.yMin} to ${box.yMax} ${flags.join(' ')}`.trim(),
      ],
      [
        'cut',
        `${rectangle.widthPx} x ${rectangle.heightPx} px at ${rectangle.leftPx}, ${rectangle.topPx}${turned}`,
      ],
    ];
  }
  if (crops === undefined) return [];
  const named = crops.map(({ logicalKey, class: of, split, reason }) =>
    logicalKey === '' ? `none of a box of ${of} (${reason})` : `${logicalKey} (${split})`,
  );
  const rest = named.length - CROPS_SHOWN;
  return [
    ['crops', crops.length === 0 ? 'none' : ''],
    ...named.slice(0, CROPS_SHOWN).map((text): Cell => ['crop', text]),
    ['', rest > 0 ? `and ${String(rest)} more, see --json` : ''],
  ];
}

function photoCells({ photo, kind }: FileLineage): readonly Cell[] {
  if (photo === undefined) return [];
  const of = photo.logicalKey === '' ? photo.imageId : photo.logicalKey;
  return [
    ['photo', kind === 'photo' ? photo.imageId : of],
    ['status', photo.status],
    ['title', photo.title],
    ['author', photo.author],
    ['licence', photo.licence],
    ['page', photo.landingUrl],
    ['address', photo.originalUrl],
    ['came from', photo.finalUrl === photo.originalUrl ? '' : photo.finalUrl],
  ];
}

function modelCells({ model }: FileLineage): readonly Cell[] {
  if (model === undefined) return [];
  const { classes, crops, trainedPhotos, data } = model;
  const total = Object.values(crops.train).reduce((sum, n) => sum + n, 0);
  const trained = `${count(total, 'crop')} of ${count(trainedPhotos, 'photo')}: ${tallies(crops.train)}`;
  const judged = (['validation', 'test'] as const)
    .map((split) => ({ split, counts: tallies(crops[split]) }))
    .filter(({ counts }) => counts !== '')
    .map(({ split, counts }) => `${split}: ${counts}`);
  return [
    ['classes', classes.join(', ')],
    ['trained on', trained],
    ['judged by', judged.join('; ')],
    ['data', data ?? ''],
  ];
}

function originCells({ bases, sources, code }: FileLineage): readonly Cell[] {
  return [
    ...bases.map(
      ({ use, name, topHash, path = '' }): Cell => [
        'based on',
        `${use} of ${name}@${topHash.slice(0, HASH_DIGITS)} ${path}`.trim(),
      ],
    ),
    ...sources.map(
      ({ name, url, digest }): Cell => ['source', `${name} ${digest.slice(0, HASH_DIGITS)} ${url}`],
    ),
    [
      'code',
      code === undefined
        ? ''
        : `${code.commit} of ${code.repository}${code.dirty ? ', with changes' : ''}`,
    ],
  ];
}
