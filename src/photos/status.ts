/** The rules that make a status of an answer, seen together with the answers for all images. */
import type { Inspection } from '../images/decode.ts';
import type { PhotoAnswer } from './answer.ts';
import type { ImageStatus } from './photos.ts';

/** What is known of one image when its status is decided. */
export interface Evidence {
  /** As the metadata states them; empty where it does not. */
  readonly originalMd5: string;
  readonly originalSize: string;
  readonly answer: PhotoAnswer;
  /** Of the answer's bytes; undefined where there are none. */
  readonly inspection: Inspection | undefined;
}

export interface Verdict {
  readonly status: ImageStatus;
  /** Whether OriginalMD5 matched; undefined where there is no MD5 or no bytes to compare. */
  readonly md5Matches: boolean | undefined;
  readonly detail: string;
}

/**
 * The digests of pictures that stand in for photos that are gone: those that unavailable-redirects
 * led to (`redirectDigests`), and bytes that came for several images whose metadata differ and match
 * none of them. A picture is never known from before.
 */
export function findPlaceholders(
  evidence: Iterable<Evidence>,
  redirectDigests: Iterable<string>,
): ReadonlySet<string> {
  const promised = new Map<string, Set<string>>();
  for (const { answer, originalMd5, originalSize } of evidence) {
    if (answer.kind === 'none' || answer.md5 === originalMd5) continue;
    const promises = promised.get(answer.digest) ?? new Set();
    promised.set(answer.digest, promises.add(`${originalMd5} ${originalSize}`));
  }
  const shared = [...promised].filter(([, promises]) => promises.size > 1);
  return new Set([...redirectDigests, ...shared.map(([digest]) => digest)]);
}

/**
 * Decides one image's status. Bytes that match OriginalMD5 are the photo; bytes that do not are, in
 * this order: no usable picture, a placeholder, the photo damaged in place (same length, which no
 * other photo has by chance), or another photo.
 */
export function decideStatus(
  { answer, inspection, originalMd5, originalSize }: Evidence,
  placeholders: ReadonlySet<string>,
): Verdict {
  if (answer.kind === 'none') {
    return { status: answer.status, md5Matches: undefined, detail: answer.detail };
  }
  const md5Matches = originalMd5 === '' ? undefined : answer.md5 === originalMd5;
  const bad = inspection === undefined || inspection.status !== 'ok' ? inspection : undefined;
  if (bad !== undefined) return { status: bad.status, md5Matches, detail: bad.detail };
  if (md5Matches === true) return { status: 'ok', md5Matches, detail: '' };
  if (placeholders.has(answer.digest)) {
    const detail = 'the same picture stands for photos that are gone';
    return { status: 'placeholder', md5Matches, detail };
  }
  const sameSize = originalSize === '' ? undefined : Number(originalSize) === answer.sizeBytes;
  if (md5Matches === false && sameSize === true) {
    const detail = 'damaged: other bytes than OriginalMD5 promises at exactly OriginalSize';
    return { status: 'corrupt', md5Matches, detail };
  }
  if (md5Matches === undefined && sameSize !== false)
    return { status: 'ok', md5Matches, detail: '' };
  const what = md5Matches === false ? 'OriginalMD5' : 'OriginalSize';
  return { status: 'changed', md5Matches, detail: `another photo than ${what} promises` };
}
