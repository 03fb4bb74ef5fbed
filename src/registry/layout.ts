/** Every path of a registry: Quilt3's layout, version 1, with content-addressed objects. */
import { isTopHash, type TopHash } from '../package/package.ts';
import type { Digest } from '../store/digest.ts';

const PACKAGES = '.quilt/packages/';
const NAMED_PACKAGES = '.quilt/named_packages/';
const OBJECTS = 'objects/';

/** The pointer that always names the current revision. */
export const LATEST = 'latest';

/** A package's JSON lines, whose name is its top hash. */
export function packageKey(topHash: TopHash): string {
  return `${PACKAGES}${topHash}`;
}

export function packagePrefix(shortHash: string): string {
  return `${PACKAGES}${shortHash}`;
}

/** The top hash in a package's key, or undefined for a stray file. */
export function topHashOfKey(key: string): TopHash | undefined {
  const name = key.slice(PACKAGES.length);
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

/** The digest at the end of a physical key that follows this layout, wherever its root was. */
export function digestInPhysicalKey(physicalKey: string): string | undefined {
  const match = /\/objects\/(?:sha256\/)?([0-9a-f]{2})\/([0-9a-f]{64})(?:\?|$)/.exec(physicalKey);
  return match?.[1] === match?.[2]?.slice(0, 2) ? match?.[2] : undefined;
}
