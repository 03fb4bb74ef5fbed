/** What may have been meant where nothing in a registry is called as was asked. */
import { PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { decodeLineage } from './decode-lineage.ts';
import { readLineageBytes } from './lineage-file.ts';
import type { LineageContext } from './registry-lineage.ts';

/** So many bytes of lineages are read for a suggestion, and so many words held. */
const MAX_READ_BYTES = 32 * 2 ** 20;
const MAX_WORDS = 200_000;

/** The error for a question that leads nowhere, with the authors, ImageIDs and licences that come near. */
export async function nothingFound(
  { registry, runtime }: LineageContext,
  query: string,
  files: Iterable<readonly [key: string, sizeBytes: number]>,
): Promise<PkgError> {
  const words = new Set<string>();
  let readBytes = 0;
  for (const [key, sizeBytes] of files) {
    readBytes += sizeBytes;
    if (readBytes > MAX_READ_BYTES || words.size > MAX_WORDS) break;
    runtime.signal.throwIfAborted();
    const bytes = await readLineageBytes(registry, key);
    for (const word of bytes === undefined ? [] : wordsOf(bytes)) words.add(word);
  }
  const known = didYouMean(query, words);
  return new PkgError('not-found', `nothing in ${registry.url} has to do with "${query}"`, {
    hint:
      known ??
      'Give an ImageID, an author, a licence (by/2.0, CC-BY-2.0) or an address, whole and as the tables spell it.',
  });
}

/** A damaged lineage was told of already. */
function wordsOf(bytes: Buffer): readonly string[] {
  try {
    const { photos } = decodeLineage(bytes);
    return photos
      .flatMap(({ imageId, author, licence }) => [imageId, author, licence])
      .filter((word) => word !== '');
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return [];
    throw error;
  }
}
