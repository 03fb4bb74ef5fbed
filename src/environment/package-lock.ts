/** npm's package-lock.json: which version of which package is installed where. */
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import { printable } from './printable.ts';

/** The manifest key that errors of this file are about. */
const KEY = 'environment.lockfile';

/** npm's own lockfile, of a few thousand packages, takes 1 MB. */
const MAX_SIZE_BYTES = 64 << 20;

/** No known project has a tenth of these. */
const MAX_PACKAGES = 100_000;

const packageSchema = z.object({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  optional: z.boolean().optional(),
});

const headSchema = z.object({
  lockfileVersion: z.literal([2, 3]),
  packages: z.custom<object>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

/** One package that is installed; a link to a folder of the project has neither version nor integrity. */
export type LockedPackage = Readonly<z.output<typeof packageSchema>>;

/**
 * The part of a package-lock that says what is installed. Source of the format:
 * https://docs.npmjs.com/cli/configuring-npm/package-lock-json
 */
export interface PackageLock {
  readonly lockfileVersion: 2 | 3;
  /** By place, such as `node_modules/a/node_modules/b`, in the file's order; the project itself is left out. */
  readonly packages: ReadonlyMap<string, LockedPackage>;
}

/**
 * Reads a package-lock.json of version 2 or 3; `file` only names it in messages.
 * @throws PkgError `manifest` for any other text, with the key environment.lockfile.
 */
export function parsePackageLock(bytes: Uint8Array, file: string): PackageLock {
  if (bytes.length > MAX_SIZE_BYTES) {
    throw broken(`${file} is larger than ${String(MAX_SIZE_BYTES)} bytes`);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const value = parseJson(text, file);
  const head = headSchema.safeParse(value);
  if (!head.success) throw wrongVersion(value, file);
  const entries: readonly (readonly [string, unknown])[] = Object.entries(head.data.packages);
  if (entries.length > MAX_PACKAGES) {
    throw broken(`${file} lists more than ${String(MAX_PACKAGES)} packages`);
  }
  const packages = new Map<string, LockedPackage>();
  for (const [place, entry] of entries) {
    const parsed = packageSchema.safeParse(entry);
    if (!parsed.success) {
      throw broken(`${file} does not say what is installed in ${printable(place)}`);
    }
    if (place !== '') packages.set(place, parsed.data);
  }
  return { lockfileVersion: head.data.lockfileVersion, packages };
}

/** The places whose packages come from a registry and are not held to a digest, in the file's order. */
export function withoutIntegrity({ packages }: PackageLock): readonly string[] {
  return [...packages]
    .filter(
      ([place, { integrity, link, resolved = 'https:' }]) =>
        place.includes('node_modules/') &&
        integrity === undefined &&
        link !== true &&
        /^https?:/.test(resolved),
    )
    .map(([place]) => place);
}

/** A place where two package-locks differ: what one has there and what the other has. */
export interface PackageDifference {
  readonly place: string;
  readonly was: LockedPackage | undefined;
  readonly is: LockedPackage | undefined;
}

/** The places that differ between two package-locks, by version or by integrity, sorted by place. */
export function packageDifferences(
  was: PackageLock,
  is: PackageLock,
): readonly PackageDifference[] {
  const places = new Set([...was.packages.keys(), ...is.packages.keys()]);
  return [...places]
    .sort()
    .map((place) => ({ place, was: was.packages.get(place), is: is.packages.get(place) }))
    .filter((pair) => !isSamePackage(pair.was, pair.is));
}

function isSamePackage(a: LockedPackage | undefined, b: LockedPackage | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isSame = <T>(one: T | undefined, other: T | undefined) =>
    one === undefined || other === undefined || one === other;
  return a.version === b.version && a.link === b.link && isSame(a.integrity, b.integrity);
}

/** A difference in words, such as `sharp 0.35.5 is 0.35.4 here`. */
export function describeDifference({ place, was, is }: PackageDifference): string {
  const name = printable(packageName(place));
  if (is === undefined) return `${name} ${versionOf(was)} is not there`;
  if (was === undefined) return `${name} ${versionOf(is)} is there and not pinned`;
  if (was.version !== is.version) return `${name} ${versionOf(was)} is ${versionOf(is)} here`;
  return `${name} ${versionOf(was)} has other bytes here`;
}

/** `b in a` of `node_modules/a/node_modules/b`; a folder of the project by its path. */
function packageName(place: string): string {
  const [folder = '', ...names] = place
    .split('node_modules/')
    .map((part) => part.replace(/\/$/, ''));
  return [...names.reverse(), folder].filter((name) => name !== '').join(' in ');
}

function versionOf(locked: LockedPackage | undefined): string {
  return locked?.link === true ? '(a link)' : printable(locked?.version ?? '(no version)');
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw broken(`${file} is ${otherLockfile(text)}`, error);
  }
}

function otherLockfile(text: string): string {
  const beginning = text.slice(0, 1000);
  if (/^# yarn lockfile|^__metadata:/m.test(beginning)) return "Yarn's lockfile, not npm's";
  if (/^lockfileVersion:/m.test(beginning)) return "pnpm's lockfile, not npm's";
  return 'not JSON, so it is no package-lock.json';
}

function wrongVersion(value: unknown, file: string): PkgError {
  const isObject = typeof value === 'object' && value !== null;
  const version = isObject && 'lockfileVersion' in value ? value.lockfileVersion : undefined;
  if (version === 1 && isObject && !('workspaces' in value)) {
    return broken(`${file} is of lockfileVersion 1, and 2 or 3 is read`);
  }
  if (version === 2 || version === 3) return broken(`${file} has no list of packages`);
  return broken(`${file} is no package-lock.json of lockfileVersion 2 or 3`);
}

function broken(message: string, cause?: unknown): PkgError {
  return new PkgError('manifest', message, {
    key: KEY,
    hint: 'Let npm 7 or newer write it, with: npm install --package-lock-only',
    cause,
  });
}
