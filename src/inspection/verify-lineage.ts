/** The check of lineages against what they are made of: the tables of their revisions. */
import { decodeLineage, lineageOfSome } from '../lineage/decode-lineage.ts';
import { encodeLineage } from '../lineage/encode-lineage.ts';
import { MAX_LINEAGE_BYTES } from '../lineage/lineage-format.ts';
import { makeLineage } from '../lineage/make-lineage.ts';
import { parseLineageKey } from '../objects/layout.ts';
import { EntryReader } from '../objects/objects.ts';
import type { TopHash } from '../package/package.ts';
import { readPackage } from '../registry/lists.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { type Digest, digestOf } from '../store/digest.ts';
import { EXTRA, type Fault } from './inspection.ts';
import { readStored, type SizedAddress, unlessDamaged } from './stored-bytes.ts';
import type { NamedRevisions } from './verify-names.ts';

interface LineageScan {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly named: NamedRevisions;
}

const OTHER_TABLES = 'it does not say what the tables of its revision say';

/** What is wrong with a file among the lineages; undefined where nothing is. */
export async function checkLineage(
  scan: LineageScan,
  address: SizedAddress,
): Promise<Fault | undefined> {
  const { key, sizeBytes } = address;
  const name = parseLineageKey(key);
  if (name === undefined) {
    return { kind: 'extra', key, why: 'nothing in the registry is called so' };
  }
  const isPossible = sizeBytes <= MAX_LINEAGE_BYTES;
  const data = isPossible ? await readStored(scan.storage, address) : undefined;
  if ('digest' in name) return await checkMerged(scan, key, name.digest, data);
  const { topHash } = name;
  const packages = [...(scan.named.packages.get(topHash) ?? [])].sort();
  if (packages.length === 0) return { kind: 'extra', key, why: EXTRA };
  const made = await makeOf(scan, topHash);
  if (made === undefined || data?.equals(made) === true) return undefined;
  const kind = data !== undefined && data.length < made.length ? 'truncated' : 'changed';
  return { kind, key, why: OTHER_TABLES, packages, remedy: made };
}

async function checkMerged(
  scan: LineageScan,
  key: string,
  digest: Digest,
  data: Buffer | undefined,
): Promise<Fault | undefined> {
  if (data === undefined || digestOf(data) !== digest) {
    return { kind: 'changed', key, why: 'its bytes are not those of its name' };
  }
  const read = await unlessDamaged(() => Promise.resolve().then(() => decodeLineage(data)));
  if ('damage' in read) return { kind: 'broken', key, why: messageOf(read.damage) };
  const lineage = read.value;
  const live = lineage.revisions.filter(({ topHash }) => scan.named.packages.has(topHash));
  if (live.length === 0) return { kind: 'extra', key, why: EXTRA };
  for (const { topHash } of live) {
    scan.runtime.signal.throwIfAborted();
    const own = lineageOfSome(lineage, (hash) => hash === topHash);
    const made = await makeOf(scan, topHash);
    if (own === undefined || made === undefined || encodeLineage(own).equals(made)) continue;
    const packages = [...(scan.named.packages.get(topHash) ?? [])].sort();
    return { kind: 'broken', key, why: `of ${topHash}, ${OTHER_TABLES}`, packages };
  }
  return undefined;
}

/** The lineage as it should be; undefined where list or tables are damaged, which is told elsewhere. */
async function makeOf(
  { runtime, storage }: LineageScan,
  topHash: TopHash,
): Promise<Buffer | undefined> {
  const made = await unlessDamaged(async () => {
    const pkg = await readPackage(storage, topHash);
    const reader = new EntryReader(runtime, storage, undefined);
    return await makeLineage(pkg, topHash, (entry) => reader.read(entry));
  });
  return 'damage' in made ? undefined : made.value;
}
