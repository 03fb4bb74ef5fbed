/** Every path of a registry: Quilt3's layout, version 1, content-addressed objects, and what is our own. */
import { isTopHash, type TopHash } from '../package/package.ts';
import { type Digest, isDigest } from '../store/digest.ts';

const PACKAGES = '.quilt/packages/';
const NAMED_PACKAGES = '.quilt/named_packages/';
const OBJECTS = 'objects/';

/** What Quilt3 knows nothing of. */
export const OWN_PREFIX = '.pkg/';

/** The pointer that always names the current revision. */
export const LATEST = 'latest';

/** A package's JSON lines, whose name is its top hash. */
export function packageKey(topHash: TopHash): string {
  return `${PACKAGES}${topHash}`;
}

/** The top hash in the key of a list or a delta, or undefined for a stray file. */
export function topHashOfKey(key: string): TopHash | undefined {
  const folder = [PACKAGES, DELTAS].find((prefix) => key.startsWith(prefix));
  const name = folder === undefined ? '' : key.slice(folder.length);
  return isTopHash(name) ? name : undefined;
}

/** A pointer of a name: a revision's time in seconds, `latest`, or a tag. */
export function pointerKey(name: string, pointer: string): string {
  return `${NAMED_PACKAGES}${name}/${pointer}`;
}

export function pointerPrefix(name: string | undefined): string {
  return name === undefined ? NAMED_PACKAGES : `${NAMED_PACKAGES}${name}/`;
}

/** Name and pointer in a pointer's key, or undefined for a stray file. */
export function parsePointerKey(key: string): { name: string; pointer: string } | undefined {
  const parts = key.slice(NAMED_PACKAGES.length).split('/');
  const [user, name, pointer] = parts;
  if (parts.length !== 3 || !user || !name || !pointer) return undefined;
  return { name: `${user}/${name}`, pointer };
}

/** Whether a pointer is a revision of the history: 10 digits, seconds since the epoch. */
export function isTimestamp(pointer: string): boolean {
  return /^\d{10}$/.test(pointer);
}

export const OBJECT_PREFIX = OBJECTS;

/** An object under the SHA-256 of its content. */
export function objectKey(digest: Digest | string): string {
  return `${OBJECTS}${digest.slice(0, 2)}/${digest}`;
}

/** How this registry keeps objects. */
export const SETTINGS_KEY = `${OWN_PREFIX}registry.json`;

export const PACK_PREFIX = `${OWN_PREFIX}packs/`;

/** A pack under the SHA-256 of its bytes. */
export function packKey(digest: Digest): string {
  return `${PACK_PREFIX}${digest.slice(0, 2)}/${digest}`;
}

/** The pack or segment whose key ends in a digest; undefined for a stray file. */
export function digestOfKey(key: string): Digest | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return isDigest(name) ? name : undefined;
}

export const INDEX_PREFIX = `${OWN_PREFIX}index/`;

/** A segment of the index under the SHA-256 of its bytes. */
export function segmentKey(digest: Digest): string {
  return `${INDEX_PREFIX}${digest}`;
}

const DELTAS = `${OWN_PREFIX}deltas/`;

/** What a package's list has other than the list it is based on, where that is much less. */
export function deltaKey(topHash: TopHash): string {
  return `${DELTAS}${topHash}`;
}

/** Where lists and deltas begin, whose names begin with some digits of a top hash. */
export function listPrefixes(shortHash: string): readonly string[] {
  return [`${PACKAGES}${shortHash}`, `${DELTAS}${shortHash}`];
}

export const LEASE_PREFIX = `${OWN_PREFIX}leases/`;

export function leaseKey(kind: string, id: string): string {
  return `${LEASE_PREFIX}${kind}-${id}`;
}

export const ATTESTATION_PREFIX = `${OWN_PREFIX}attestations/`;

/** Where what is said of a revision stands, beside it. */
export function attestationPrefix(topHash: TopHash): string {
  return `${ATTESTATION_PREFIX}${topHash}/`;
}

export const LINEAGE_PREFIX = `${OWN_PREFIX}lineage/`;
const MERGED_LINEAGE = `${LINEAGE_PREFIX}merged/`;

/** Which photos a revision holds, and what was made of them. */
export function lineageKey(topHash: TopHash): string {
  return `${LINEAGE_PREFIX}${topHash}`;
}

/** The lineage of several revisions together, under the SHA-256 of its bytes. */
export function mergedLineageKey(digest: Digest): string {
  return `${MERGED_LINEAGE}${digest}`;
}

/** What a key of a lineage names: a revision, or the digest of several; undefined for a stray file. */
export function parseLineageKey(
  key: string,
): { readonly topHash: TopHash } | { readonly digest: Digest } | undefined {
  if (key.startsWith(MERGED_LINEAGE)) {
    const name = key.slice(MERGED_LINEAGE.length);
    return isDigest(name) ? { digest: name } : undefined;
  }
  const name = key.startsWith(LINEAGE_PREFIX) ? key.slice(LINEAGE_PREFIX.length) : '';
  return isTopHash(name) ? { topHash: name } : undefined;
}

/** The digest at the end of a physical key that follows this layout, wherever its root was. */
export function digestInPhysicalKey(physicalKey: string): string | undefined {
  const match = /\/objects\/(?:sha256\/)?([0-9a-f]{2})\/([0-9a-f]{64})(?:\?|$)/.exec(physicalKey);
  return match?.[1] === match?.[2]?.slice(0, 2) ? match?.[2] : undefined;
}
