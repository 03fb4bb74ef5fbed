// A package of very many made-up entries: pkg-million.mjs index|push|push-changed ADDRESS ENDPOINT STORE COUNT
// `index` tells a registry that it has all their bytes, so that a push sends nothing but lists.
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { segmentKey } from '../dist/objects/layout.js';
import { chunkedFromDigest } from '../dist/package/object-hash.js';
import { fileEntry, packageOf } from '../dist/package/package.js';
import { encodeIndexSegment } from '../dist/packs/index-segment.js';
import { pushPackage } from '../dist/registry/push.js';
import { createRuntime } from '../dist/runtime/runtime.js';
import { openStorage } from '../dist/storage/open.js';
import { ALWAYS } from '../dist/storage/storage.js';
import { uploadOf } from '../dist/storage/whole-content.js';
import { digestOf } from '../dist/store/digest.js';
import { openStore } from '../dist/store/store.js';

const NAME = 'bench/million';
const FILES_A_FOLDER = 20_000;
const RECORDS_A_SEGMENT = 250_000;
const MEMBERS_A_PACK = 320;
const LEAST_BYTES = 40_000;
const CHANGED = 50;

// As pkg's own executable does.
setFlagsFromString('--semi-space-growth-factor=1');

const [work, address, endpoint, storeFolder, countText] = process.argv.slice(2);
const count = Number(countText);
const runtime = createRuntime();
const registry = await openStorage(
  runtime,
  address,
  { endpoint, region: process.env.AWS_REGION },
  'write',
);

/** The file of a number, in the order of keys: `{ digest, sizeBytes }`. */
function fileAt(number, revision) {
  const digest = digestOf(Buffer.from(`file ${number} ${revision}`));
  return { digest, sizeBytes: LEAST_BYTES + ((number * 7919) % 20_000) };
}

function isChanged(number) {
  return number % Math.ceil(count / CHANGED) === 1;
}

/** All files, then those that a second revision has instead. */
function* allFiles() {
  for (let number = 0; number < count; number++) yield fileAt(number, 1);
  for (let number = 0; number < count; number++) if (isChanged(number)) yield fileAt(number, 2);
}

/** Index segments that name all files, in packs that are not there. */
function* segments() {
  let [records, packs] = [[], []];
  let pack;
  for (const { digest, sizeBytes } of allFiles()) {
    if (pack === undefined || pack.members === MEMBERS_A_PACK) {
      pack = { digest: madeUp(`pack ${digest}`), sizeBytes: 4096, members: 0 };
      packs.push(pack);
    }
    const offset = pack.sizeBytes - 4096;
    records.push({ digest, kind: 'whole', pack: pack.digest, offset, sizeBytes });
    pack.sizeBytes += sizeBytes;
    pack.members++;
    if (records.length < RECORDS_A_SEGMENT) continue;
    yield encodeIndexSegment(records, packs);
    [records, packs, pack] = [[], [], undefined];
  }
  if (records.length > 0) yield encodeIndexSegment(records, packs);
}

function madeUp(text) {
  return createHash('sha256').update(text).digest('hex');
}

function* entries(revision) {
  for (let number = 0; number < count; number++) {
    const content = fileAt(number, isChanged(number) ? revision : 1);
    const chunkedHash = chunkedFromDigest(content.digest, content.sizeBytes);
    const folder = String(Math.floor(number / FILES_A_FOLDER)).padStart(3, '0');
    const key = `images/${folder}/${String(number).padStart(8, '0')}.jpg`;
    yield fileEntry(key, `/made-up/${key}`, { ...content, chunkedHash });
  }
}

async function push(revision) {
  const header = new Map([['version', 'v0']]);
  const pkg = packageOf(header, entries(revision));
  const { topHash, uploaded, reused } = await pushPackage(runtime, registry, pkg, {
    name: NAME,
    tag: undefined,
    cache: await openStore(storeFolder, Date.now()),
    open: () => {
      throw new Error('all files are in the registry');
    },
  });
  return { topHash, uploaded, reused };
}

async function writeIndex() {
  let records = 0;
  for (const data of segments()) {
    await registry.write(segmentKey(digestOf(data)), await uploadOf(data), ALWAYS);
    records += data.length;
  }
  return { records };
}

const WORKS = { index: writeIndex, push: () => push(1), 'push-changed': () => push(2) };
console.log(JSON.stringify(await WORKS[work]()));
