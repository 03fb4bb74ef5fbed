// The figures of the registry benchmark: by operation and contestant, as ratios, and against bounds.
import { median, ratioOf } from './measure.mjs';
import { formatRatio, formatTable, METRICS, mapValues } from './report.mjs';

const { cpu: CPU, time: WALL, memory: MEMORY } = METRICS;
const MEMORY_BOUND = 300e6;
const SOME_COUNTS = ['requests', 'sentBytes', 'receivedBytes', 'objects', 'bytes'];

/** All of a run, as data for a program and as text for a person. */
export function describeRegistry(measured) {
  const { contestants, operations, runs, counted } = measured;
  const result = {
    title: titleOf(measured),
    notes: notesOf(measured),
    operations: operations.map(({ key, label }) => ({
      label,
      figures: contestants.map((contestant) => ({
        name: nameOf(contestant),
        ...figuresOf(runs[contestant.key][key]),
        ...Object.fromEntries(SOME_COUNTS.map((it) => [it, counted[contestant.key][key][it]])),
        methods: counted[contestant.key][key].methods,
      })),
      comparisons: contestants.slice(1).map((peer) => ({
        theirs: nameOf(peer),
        ...ratiosOf(runs.pkg[key], runs[peer.key][key]),
      })),
    })),
    more: mapValues(counted.more, flatten),
    million: mapValues(counted.million, flatten),
    bounds: boundsOf(measured),
  };
  return { result, text: formatRegistry(result) };
}

function flatten(it) {
  return typeof it === 'number' ? it : { ...it.counts, ...it.run };
}

function titleOf({ files, server }) {
  return (
    `REGISTRY: ${files.count} files of ${size(files.bytes / files.count)} (S, ` +
    `${size(files.bytes)}); 64 bytes changed in ${files.changedCount} of them, ` +
    `${size(files.changedBytes)} (S2); S3 server: ${server}`
  );
}

function notesOf({ contestants, runs }) {
  const notes = {
    pkg: [
      'pkg: the policy of a new registry; every byte is checked against its digest before use.',
    ],
    quilt3: ['quilt3: push is forced; install checks no hash of what arrived.'],
    dvc: [
      'DVC: push is add and push; pull checks no hash of what arrived (remotes’ verify is off).',
    ],
    restic: [
      'restic: backup, encrypted and with its own compression; restore checks SHA-256 of each blob.',
    ],
    rclone: ['rclone: sync --checksum, 16 transfers; MD5 by the ETag of each object; no versions.'],
  };
  return [
    `medians of ${runs.pkg.push.length} rounds of all in turn, begun by another in each; a round has a`,
    'server, buckets, caches and homes of its own. CPU time is that of the client’s processes, memory',
    'that of the largest. The server is not counted, yet shares the cores. Requests and bytes of bodies',
    'are counted by a proxy before the server, in a round without clocks; objects are those afterwards.',
    ...contestants.flatMap(({ key }) => notes[key]),
  ];
}

function nameOf({ name, version }) {
  return `${name} ${version}`;
}

function figuresOf(runs) {
  const of = (metric) => median(runs.map((run) => metric.of(run)));
  return { cpuSeconds: of(CPU), seconds: of(WALL), peakBytes: of(MEMORY), rounds: runs };
}

function ratiosOf(ours, theirs) {
  const of = (metric) => ratioOf(...[ours, theirs].map((runs) => runs.map(metric.of)));
  return { cpu: of(CPU), wall: of(WALL), memory: of(MEMORY) };
}

/** Each bound: `{ label, value, bound, holds, text }`, where its peer was there. */
function boundsOf({ files, counted, runs }) {
  const wall = (key) => figuresOf(runs.pkg[key]).seconds;
  const { more, million } = counted;
  return [
    ...peerBound(runs, 'push', ['dvc', 'DVC', 0.25]),
    ...peerBound(runs, 'push', ['restic', 'restic', 1]),
    bound('push S: objects', counted.pkg.push.objects, 40),
    bound('push S again: requests', counted.pkg.pushAgain.requests, 3),
    bound('push S again: seconds', wall('pushAgain'), 0.5),
    bound('push S2: bytes sent a byte of changed files', sentRatio(counted, files), 1.15),
    ...peerBound(runs, 'install', ['quilt3', 'quilt3', 0.15]),
    ...peerBound(runs, 'install', ['restic', 'restic', 1]),
    bound('install S again: seconds', wall('installAgain'), 0.5),
    bound('install S again: requests', counted.pkg.installAgain.requests, 2),
    bound('peak memory of any run, MB', mostMemory(runs, more) / 1e6, MEMORY_BOUND / 1e6),
    bound(
      `${million.entries} entries: peak memory of any run, MB`,
      mostMemory({ pkg: {} }, million) / 1e6,
      MEMORY_BOUND / 1e6,
    ),
    bound(
      `1 KB inserted in ${size(more.largeBytes)}: MB sent`,
      more.inserted.counts.sentBytes / 1e6,
      3,
    ),
    bound(
      'S under a second name: bytes sent, % of S',
      (100 * more.secondName.counts.sentBytes) / files.bytes,
      0.1,
    ),
    bound('one file out of S: requests', more.oneFile.counts.requests, 3),
  ];
}

function sentRatio(counted, files) {
  return counted.pkg.pushChanged.sentBytes / files.changedBytes;
}

function mostMemory(runs, more) {
  const timed = Object.values(runs.pkg).flat();
  const once = Object.values(more).flatMap((it) => it.run ?? []);
  return Math.max(...[...timed, ...once].map(({ peakBytes }) => peakBytes));
}

function bound(label, value, most) {
  return {
    label,
    value,
    bound: most,
    ...verdict(`${label}: ${brief(value)}`, value <= most, most),
  };
}

/** A bound on the CPU time of an operation, as a part of a peer's; no bound without the peer. */
function peerBound(runs, key, [peer, name, most]) {
  if (runs[peer] === undefined) return [];
  const value = ratiosOf(runs.pkg[key], runs[peer][key]).cpu.ratio;
  const label = `${key} S: CPU time, of ${name}’s`;
  const text = `${key} S: ${value.toFixed(2)} x ${name}’s CPU time`;
  return [{ label, value, bound: most, ...verdict(text, value <= most, most) }];
}

function verdict(text, holds, most) {
  return { holds, text: `${text} (at most ${most}: ${holds ? 'holds' : 'FAILS'})` };
}

function brief(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 0);
}

function formatRegistry({ title, notes, operations, more, million, bounds }) {
  return [
    title,
    ...notes.map((note) => `  ${note}`),
    ...operations.map(formatOperation),
    '',
    formatMore(more),
    '',
    formatMillion(million),
    '',
    ...bounds.map(({ text }) => text),
  ].join('\n');
}

function formatOperation({ label, figures, comparisons }) {
  const head = [
    label,
    CPU.label,
    WALL.label,
    MEMORY.label,
    'requests',
    'sent',
    'received',
    'objects',
  ];
  const rows = figures.map((figure) => [
    figure.name,
    CPU.format(figure.cpuSeconds),
    WALL.format(figure.seconds),
    MEMORY.format(figure.peakBytes),
    ...countCells(figure),
    String(figure.objects),
  ]);
  const ratios = comparisons.map(({ theirs, cpu, wall, memory }) => [
    `pkg / ${theirs}`,
    ...[cpu, wall, memory].map(formatRatio),
  ]);
  const table = ['', formatTable([head, ...rows])];
  if (ratios.length === 0) return table.join('\n');
  const ratioHead = [
    'ratios of medians (least to most of a round)',
    'CPU time',
    'time',
    'peak memory',
  ];
  return [...table, '', formatTable([ratioHead, ...ratios])].join('\n');
}

function formatMore({ largeBytes, ...runs }) {
  return formatRuns(runs, 'pkg, once, through the proxy', {
    large: `push one file of ${size(largeBytes)}`,
    inserted: 'push it with 1 KB inserted',
    secondName: 'push S under a second name',
    oneFile: 'install one file out of S',
  });
}

function formatMillion({ entries, ...runs }) {
  return formatRuns(runs, `pkg, ${entries} made-up entries, once`, {
    pushList: 'push them, their bytes being there',
    list: 'ls',
    show: 'show',
    planOne: 'install one file, --dry-run',
    pushDelta: 'push 50 others',
    showDelta: 'show the second revision',
    planDelta: 'install one file of it, --dry-run',
  });
}

function formatRuns(runs, title, labels) {
  const head = [title, CPU.label, WALL.label, MEMORY.label, 'requests', 'sent', 'received'];
  const rows = Object.entries(runs).map(([key, run]) => [
    labels[key],
    ...[CPU, WALL, MEMORY].map((metric) => metric.format(metric.of(run))),
    ...countCells(run),
  ]);
  return formatTable([head, ...rows]);
}

function countCells({ requests, sentBytes, receivedBytes }) {
  return [String(requests), size(sentBytes), size(receivedBytes)];
}

/** With three digits or so. */
function size(bytes) {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'KB'] : [bytes / 1e6, 'MB'];
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}
