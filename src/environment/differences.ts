/** How the files of an environment differ from the pinned ones, in words. */
import { PkgError } from '../runtime/errors.ts';
import { readBaseImages } from './base-images.ts';
import {
  describeDifference,
  type PackageDifference,
  packageDifferences,
  parsePackageLock,
} from './package-lock.ts';
import { printable } from './printable.ts';

/** How many packages a sentence names. */
const PACKAGES_SHOWN = 10;

/** What differs between a pinned package-lock and the one here, as the end of a sentence. */
export function lockfileDifference(pinned: Uint8Array | undefined, here: Uint8Array): string {
  const is = readable(() => parsePackageLock(here, 'it'));
  if (typeof is === 'string') return is;
  const was = pinned && readable(() => parsePackageLock(pinned, 'the pinned one'));
  if (was === undefined || typeof was === 'string') return 'it has other bytes than the pinned one';
  const differences = packageDifferences(was, is);
  if (differences.length === 0) return 'it installs the same packages and has other bytes';
  return listDifferences(differences);
}

/**
 * Which installed packages are not those of a pinned package-lock, by npm's notes of what it installed;
 * undefined where all are. Packages that are not installed do not count: no machine needs those of another
 * platform.
 */
export function installedDifference(pinned: Uint8Array, notes: Uint8Array): string | undefined {
  const was = readable(() => parsePackageLock(pinned, 'the pinned one'));
  const is = readable(() => parsePackageLock(notes, "npm's note of it"));
  if (typeof was === 'string') return was;
  if (typeof is === 'string') return is;
  const differences = packageDifferences(was, is).filter(
    (difference) => difference.is !== undefined,
  );
  return differences.length === 0 ? undefined : listDifferences(differences);
}

/** What differs between a pinned Dockerfile and the one here, as the end of a sentence. */
export function dockerfileDifference(baseImages: readonly string[], here: Uint8Array): string {
  const found = readable(() => readBaseImages(here, 'it'));
  if (typeof found === 'string') return found;
  const added = found.filter((image) => !baseImages.includes(image));
  const gone = baseImages.filter((image) => !found.includes(image));
  if (added.length === 0 && gone.length === 0) {
    return 'it builds upon the same images and has other bytes';
  }
  const list = (images: readonly string[]) =>
    images.length === 0 ? 'nothing' : images.map(printable).join(' and ');
  return `it builds upon ${list(added)} where ${list(gone)} is pinned`;
}

/** The first of the differences, those of packages that every machine needs before the others. */
function listDifferences(differences: readonly PackageDifference[]): string {
  const isOptional = ({ was, is }: PackageDifference) => (was ?? is)?.optional === true;
  const sorted = [
    ...differences.filter((difference) => !isOptional(difference)),
    ...differences.filter(isOptional),
  ];
  const shown = sorted.slice(0, PACKAGES_SHOWN).map(describeDifference).join(', ');
  const more = sorted.length - PACKAGES_SHOWN;
  return more > 0 ? `${shown} and ${String(more)} more` : shown;
}

/** What a reader of foreign bytes makes of them, or what it has against them. */
function readable<Value>(read: () => Value): Value | string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'manifest') throw error;
    return error.message;
  }
}
