/** The data card: the README of a package, for someone who wants to know what it is. */
import { type FurtherPart, SPLITS, type Summary } from './summaries.ts';

/** What a status of an image means, in the words of the card. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  ok: 'the photo its metadata promises',
  changed: 'a photo, but not the one of the metadata any more',
  missing: 'the address has no photo',
  gone: 'the address says that the photo was removed',
  placeholder: 'a stand-in picture came in its place',
  corrupt: 'the bytes are damaged or no picture',
  unsupported: 'a kind of file that is not decoded',
  'too-large': 'larger than the limits allow',
};

/** What a reason for a missing crop means, where it is not a status of the image. */
const REASON_WORDS: Readonly<Record<string, string>> = {
  orphan: 'the image table has no such image',
  'invalid-box': 'the coordinates are no rectangle inside the picture',
  'repeated-box': 'the same box stands a second time',
  'too-small': 'smaller than the manifest asks for',
};

/** How many photos are named; all of them are in `metadata/images.csv`. */
const MAX_NAMED = 50;

/** The card as Markdown. It states no date, path or host, so that it is the same everywhere. */
export function dataCard(summary: Summary): string {
  const { name, description, engine } = summary;
  const parts = [
    `# ${name}`,
    description,
    whatItIs(summary),
    '![Crops of each class](summaries/crops.png)',
    classSection(summary),
    photoSection(summary),
    boxSection(summary),
    licenseSection(summary),
    engine === undefined ? undefined : modelSection(engine),
    filesSection(summary),
    useSection(name),
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}

function whatItIs({ classes, crops, photos, selection }: Summary): string {
  const names = classes.map((facts) => escape(facts.name));
  const list =
    names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}` : names.join();
  return (
    `${count(crops, 'crop')} of ${list}, cut by bounding box out of ${count(photos, 'photo')}. ` +
    `The query selected ${count(selection.boxes, 'box', 'boxes')} on ` +
    `${count(selection.images, 'image')}; what is not here, and why, is listed below.`
  );
}

function classSection(summary: Summary): string {
  const used = SPLITS.filter((split) =>
    summary.classes.some(({ splits }) => (splits[split] ?? 0) > 0),
  );
  const rows = summary.classes.map(({ name, labels, boxes, photos, crops, splits }) => [
    escape(name),
    labels.map(({ mid, displayName }) => `${escape(displayName)} (${code(mid)})`).join(', '),
    ...[boxes, photos, crops].map(String),
    ...used.map((split) => String(splits[split] ?? 0)),
  ]);
  const splitNote =
    'Photos that are copies of each other (same bytes, scaled or saved again) are in one split.';
  return `## Classes\n\n${table(['class', 'labels', 'boxes', 'photos', 'crops', ...used], rows)}\n\n${splitNote}`;
}

function photoSection(summary: Summary): string {
  const rows = summary.statuses.map(([status, n]) => [
    `\`${status}\``,
    String(n),
    STATUS_WORDS[status] ?? '',
  ]);
  const named = summary.unlike
    .slice(0, MAX_NAMED)
    .map((row) => [code(row.ImageID), `\`${row.Status}\``, escape(row.Detail)]);
  const rest = summary.unlike.length - named.length;
  const list =
    named.length === 0
      ? ''
      : `\n\n### Photos that are not as their metadata promises\n\n${table(['image', 'status', 'what happened'], named)}`;
  const more = rest > 0 ? `\n\nand ${String(rest)} more in \`metadata/images.csv\`.` : '';
  return `## Photos\n\n${table(['status', 'images', 'meaning'], rows)}${list}${more}`;
}

function boxSection({ reasons, selection, crops }: Summary): string {
  const rows = reasons.map(([reason, n]) => [
    `\`${reason}\``,
    String(n),
    REASON_WORDS[reason] ?? `the photo: ${STATUS_WORDS[reason] ?? reason}`,
  ]);
  const intro = `${String(crops)} of ${count(selection.boxes, 'selected box', 'selected boxes')} became a crop.`;
  if (rows.length === 0) return `## Boxes\n\n${intro}`;
  return `## Boxes\n\n${intro} The others:\n\n${table(['reason', 'boxes', 'meaning'], rows)}`;
}

function licenseSection({ licenses, license, authors, photos }: Summary): string {
  const rows = licenses.map(([name, n]) => [escape(name), String(n)]);
  const own =
    license === undefined
      ? 'The package states no licence of its own.'
      : `The package: ${license}.`;
  return (
    `## Licences\n\n${own} Each photo keeps its own, with author, title and landing page in ` +
    `\`metadata/images.csv\`; ${count(photos, 'photo')} by ${count(authors, 'author')}.\n\n` +
    table(['licence of the photos', 'photos'], rows)
  );
}

const FILES = `## Files

| path | what |
| --- | --- |
| \`images/\` | source photos, byte for byte as they came |
| \`images_cropped/<Class>/\` | a crop for each box |
| \`metadata/images.csv\` | a row for each selected image: status, digest, address, licence, author |
| \`metadata/crops.csv\` | a row for each selected box: its crop and split, or why there is none |
| \`metadata/boxes.csv\`, \`metadata/classes.csv\` | the selected rows of the source tables |
| \`summaries/\` | charts (Vega, Vega-Lite) and contact sheets |
| \`manifest.yaml\`, \`manifest.lock.json\` | the recipe, and the recipe with every input pinned |
| \`provenance.json\` | how this package was made, step by step: an in-toto statement |`;

const MODEL_FILES = [
  '| `models/model.json`, `models/weights.bin` | the classifier, for `pkg predict` and TensorFlow.js |',
  '| `models/clf.h5` | the same for Keras |',
  '| `models/history.csv` | what each epoch of the training gave |',
  '| `models/evaluation.json`, `models/classification_report.txt` | how good it is on photos it was never trained on |',
];

const REPLAY_FILE =
  '| `models/replay.json` | the chain of states by which `pkg reproduce --spot-check` proves the training |';

/** What only some packages hold, by what they hold it for. */
const FURTHER_FILES: Readonly<Record<FurtherPart, string>> = {
  base: '| `models/base/` | the published model that this one begins with |',
  code: '| `code/` | the code, as it was at the pinned commit |',
  environment: '| `environment/` | the lockfile and the Dockerfile of the environment |',
};

function filesSection({ engine, holds = [] }: Summary): string {
  const models = engine === undefined ? [] : MODEL_FILES;
  const replay = engine === 'deterministic' ? [REPLAY_FILE] : [];
  return [FILES, ...models, ...replay, ...holds.map((part) => FURTHER_FILES[part])].join('\n');
}

/** What is said of the classifier holds for any training of it, so that the card need not wait for one. */
function modelSection(engine: string): string {
  const bits =
    engine === 'deterministic'
      ? ''
      : ' Its weights are the same within a tolerance, and not bit for bit, on other machines.';
  return `## Model

A classifier was trained on the crops of the split \`train\` by the engine \`${engine}\`; layers and settings stand in \`manifest.yaml\`.${bits}
It is judged on crops of other photos: \`models/classification_report.txt\` has the figures, \`models/mistakes.jpg\` the most confident mistakes.`;
}

function useSection(name: string): string {
  const folder = name.split('/')[1] ?? name;
  return `## Install and rebuild

\`\`\`sh
pkg install ${name} --registry REGISTRY --dest ${folder}    # all of it, checked while it arrives
pkg install ${name} images_cropped --registry REGISTRY --dest ${folder}-crops
pkg verify ${folder}
\`\`\`

To build all of it again and compare it byte by byte:

\`\`\`sh
pkg reproduce ${name} --registry REGISTRY    # or, offline: pkg reproduce ${folder}
\`\`\`

The same lockfile gives the same top hash on any machine. The registry serves photos that have left the web.`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${String(n)} ${n === 1 ? one : many}`;
}

/** A short name as code, or as harmless text where code could not hold it. */
function code(name: string): string {
  return /^[\w./:-]+$/.test(name) ? `\`${name}\`` : escape(name);
}

/** Text from a table that anyone may have written, harmless inside a Markdown table. */
function escape(text: string): string {
  return text.replace(/[\\|<>[\]`*_]/g, '\\$&').replace(/\s+/g, ' ');
}
