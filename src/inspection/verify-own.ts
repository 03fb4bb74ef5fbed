/** The check of what else a registry keeps of its own: settings, attestations, lineages, stray files. */

import {
  ATTESTATION_PREFIX,
  INDEX_PREFIX,
  LEASE_PREFIX,
  LINEAGE_PREFIX,
  listPrefixes,
  OWN_PREFIX,
  PACK_PREFIX,
  SETTINGS_KEY,
} from '../objects/layout.ts';
import { findSettings, formatSettings } from '../objects/settings.ts';
import { isTopHash } from '../package/package.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { readBounded } from '../storage/whole-content.ts';
import { EXTRA, type Fault, type RegistryFinding } from './inspection.ts';
import { digestOfStored, unlessDamaged } from './stored-bytes.ts';
import { checkLineage } from './verify-lineage.ts';
import type { NamedRevisions } from './verify-names.ts';

const READS_AT_ONCE = 8;
const MAX_SETTINGS_BYTES = 64 * 1024;

/** What is checked with lists and packs. */
const CHECKED_PREFIXES = [INDEX_PREFIX, PACK_PREFIX, ...listPrefixes('')];

const ATTESTATION = /^([0-9a-f]{64})\/([0-9a-f]{64})\.json$/;
const LEASE = /^(?:push|sweep)-[0-9a-f-]{36}$/;

/** A registry with packs says so in its settings, spelt in one way. */
export async function* checkSettings(
  storage: Storage,
  hasPacks: boolean,
): AsyncGenerator<RegistryFinding> {
  const key = SETTINGS_KEY;
  const read = await unlessDamaged(async () => {
    const settings = await findSettings(storage);
    const found = await storage.read({ key });
    if (settings === undefined || found === undefined) return undefined;
    const text = (await readBounded(found.bytes, MAX_SETTINGS_BYTES)).toString('utf8');
    return text === formatSettings(settings);
  });
  if ('damage' in read) yield { kind: 'changed', key, why: read.damage.message };
  else if (read.value === false) yield { kind: 'changed', key, why: 'it is not spelt as written' };
  else if (read.value === undefined && hasPacks) {
    yield { kind: 'missing', key, why: 'the registry has packs and does not say so' };
  }
}

/** Reads all attestations and lineages, and says which files nobody put there. */
export async function* checkOwnFiles(
  runtime: Runtime,
  storage: Storage,
  named: NamedRevisions,
): AsyncGenerator<Fault> {
  const files = mapLimit(storage.list(OWN_PREFIX), READS_AT_ONCE, async ({ key, sizeBytes }) => {
    runtime.signal.throwIfAborted();
    const isKnown =
      key === SETTINGS_KEY ||
      CHECKED_PREFIXES.some((prefix) => key.startsWith(prefix)) ||
      (key.startsWith(LEASE_PREFIX) && LEASE.test(key.slice(LEASE_PREFIX.length)));
    if (isKnown) return undefined;
    if (key.startsWith(LINEAGE_PREFIX)) {
      return await checkLineage({ runtime, storage, named }, { key, sizeBytes });
    }
    const name = key.startsWith(ATTESTATION_PREFIX) ? key.slice(ATTESTATION_PREFIX.length) : '';
    const [, hash = '', digest] = ATTESTATION.exec(name) ?? [];
    if (digest === undefined || !isTopHash(hash)) return strayFile(key);
    if ((await digestOfStored(storage, { key, sizeBytes })) !== digest) {
      const packages = [...(named.packages.get(hash) ?? [])].sort();
      const why = 'its bytes are not those of its name';
      return { kind: 'changed', key, why, packages } as const;
    }
    return named.packages.has(hash) ? undefined : ({ kind: 'extra', key, why: EXTRA } as const);
  });
  for await (const finding of files) if (finding !== undefined) yield finding;
}

function strayFile(key: string): RegistryFinding {
  return { kind: 'extra', key, why: 'nothing in the registry is called so' };
}
