/** What a photo, author or licence went into, as lines for a person. */
import type { Impact, Reindexed } from '../index.ts';
import { printable } from './printable.ts';
import { columns, count, tallies } from './text.ts';

type Revision = Impact['revisions'][number];
type Model = Impact['models'][number];

/** Of a top hash; enough to tell it by. */
const HASH_DIGITS = 12;

export function impactLines(impact: Impact): readonly string[] {
  const { query, registry, matched, photos, revisions, models, looked, unknown, notes } = impact;
  const what = matched.kinds.join(' and ');
  const licences = matched.licences.filter((licence) => licence !== query);
  const ofLicences = licences.length === 0 ? '' : `, meaning ${licences.join(', ')}`;
  const by = what === '' ? '' : ` (${what}${ofLicences})`;
  const byTables =
    looked.byTables === 0
      ? ''
      : `; of ${count(looked.byTables, 'revision')} without a lineage the tables were read, ` +
        'pkg impact --reindex writes what is missing';
  return [
    printable(
      `${query}${by}: ${count(photos, 'photo')} in ${count(revisions.length, 'revision')} of ` +
        `${count(new Set(revisions.map(({ name }) => name)).size, 'package')}, ` +
        `${count(models.length, 'model')}, in ${registry}`,
    ),
    ...section('revisions', revisions.flatMap(revisionLines)),
    ...section('models', models.map(modelLine)),
    ...section(
      'not known',
      unknown.map((why) => printable(why)),
    ),
    ...notes.map((note) => `note: ${printable(note)}`),
    '',
    `${count(looked.revisions, 'revision')} looked through${byTables}. What lineages say is not signed; ` +
      'pkg verify --registry holds them against the tables.',
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function nameOf({
  name,
  topHash,
  isNewest,
}: Pick<Revision, 'name' | 'topHash' | 'isNewest'>): string {
  return `${name}@${topHash.slice(0, HASH_DIGITS)}${isNewest ? ' (newest)' : ''}`;
}

function revisionLines(revision: Revision): readonly string[] {
  const { photos, crops, imageIds, cropKeys, tags } = revision;
  const total = Object.values(crops).reduce((sum, n) => sum + n, 0);
  const splits = total === 0 ? '' : ` (${tallies(crops)})`;
  const tagged = tags.length === 0 ? '' : `  [${tags.join(', ')}]`;
  const names = total === 0 ? imageIds : cropKeys;
  const rest = (total === 0 ? photos : total) - names.length;
  const more = rest > 0 ? ` and ${String(rest)} more` : '';
  return [
    `${nameOf(revision)}${tagged}  ${count(photos, 'photo')}, ${count(total, 'crop')}${splits}`,
    `  ${printable(names.join(', '))}${more}`,
  ];
}

function modelLine(model: Model): string {
  const { use, crops, via } = model;
  return `${nameOf(model)}  ${USES[use]}${use === 'based' ? '' : ` (${tallies(crops)})`}${
    via.length === 0 ? '' : ` ${printable(via.map(shorten).join(' -> '))}`
  }`;
}

const USES = {
  trained: 'was trained on them',
  judged: 'was not trained on them, only judged by them',
  based: 'is based on what has learnt of them:',
} as const;

function shorten(revision: string): string {
  return revision.replace(/@([0-9a-f]{12})[0-9a-f]+$/, '@$1');
}

export function reindexLines({
  registry,
  revisions,
  written,
  merged,
  unknown,
}: Reindexed): readonly string[] {
  const rows = [
    [revisions, 'revisions'],
    [written, 'lineages written'],
    [merged, 'lineages put into one'],
  ] as const;
  return [registry, columns(rows), ...unknown.map((why) => `not known: ${printable(why)}`)];
}
