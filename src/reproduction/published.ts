/** A published package as the recipe it was made by: its texts, checked against each other. */
import type { OpenedPackage } from '../installation/opened-package.ts';
import { entryUnder } from '../installation/opened-package.ts';
import { parameterDrift } from '../lockfile/drift.ts';
import { type Lockfile, parseLockfile } from '../lockfile/lockfile.ts';
import { lockedParameters } from '../lockfile/resolve.ts';
import { type ManifestSource, parseManifest } from '../manifest/parse.ts';
import { statedDigest } from '../package/package.ts';
import { type ImagesRow } from '../photos/photos.ts';
import { pinnedFiles } from '../pipeline/make.ts';
import { parseProvenance } from '../provenance/parse-provenance.ts';
import type { ProvenanceStep } from '../provenance/provenance.ts';
import { PkgError } from '../runtime/errors.ts';
import { readImagesTable } from '../steps/fetch-record.ts';
import { digestOf, streamOf } from '../store/digest.ts';

export interface Published {
  readonly opened: OpenedPackage;
  readonly source: ManifestSource;
  readonly lockfile: Lockfile;
  readonly without: readonly string[];
  /** Rows of `metadata/images.csv`. */
  readonly images: readonly ImagesRow[];
  /** Empty where the package has no provenance. */
  readonly steps: readonly ProvenanceStep[];
  readonly notes: readonly string[];
}

/** How many contradictions a message names. */
const MAX_NAMED = 5;

/**
 * Reads what a package says it was made by.
 * @throws PkgError `not-found` where pkg did not build it; `integrity` where a file is damaged, or where its
 * parts contradict each other, each named.
 */
export async function readPublished(opened: OpenedPackage): Promise<Published> {
  const source = parseManifest(await readText(opened, 'manifest.yaml'), 'manifest.yaml');
  const lockfile = parseLockfile(
    await readText(opened, 'manifest.lock.json'),
    'manifest.lock.json',
  );
  const without = namesIn(lockfile.parameters['without']);
  const table = Buffer.from(await readText(opened, 'metadata/images.csv'));
  const images = await readImagesTable(streamOf(table));
  const contradictions = [
    ...textContradictions(source, lockfile, without),
    ...pinContradictions(opened, lockfile),
    ...photoContradictions(opened, images),
  ];
  if (contradictions.length > 0) throw contradictory(opened, contradictions);
  const hasProvenance = entryUnder(opened.pkg, 'provenance.json') !== undefined;
  const stated = hasProvenance
    ? parseProvenance(await readText(opened, 'provenance.json'), 'provenance.json')
    : undefined;
  const drift =
    stated === undefined
      ? ['the package has no provenance.json, so its steps cannot be told apart']
      : parameterDrift(stated.parameters, lockfile.parameters).map(
          (sentence) => `provenance.json and manifest.lock.json differ: ${sentence}`,
        );
  return { opened, source, lockfile, without, images, steps: stated?.steps ?? [], notes: drift };
}

function textContradictions(
  { text, manifest }: ManifestSource,
  lockfile: Lockfile,
  without: readonly string[],
): readonly string[] {
  const parameters = parameterDrift(lockfile.parameters, lockedParameters(manifest, without));
  const isFollowed = digestOf(text) === lockfile.manifest;
  return [
    ...parameters.map((sentence) => `manifest.yaml has other parameters: ${sentence}`),
    ...(isFollowed || parameters.length > 0
      ? []
      : ['manifest.yaml is not the text that was locked']),
  ];
}

/** Code and files of the environment that are not those the lockfile pins. */
function pinContradictions(opened: OpenedPackage, lockfile: Lockfile): readonly string[] {
  return pinnedFiles(lockfile).flatMap(({ path, digest }) => {
    const entry = entryUnder(opened.pkg, path);
    if (entry === undefined) return [`${path} is not there, though manifest.lock.json pins it`];
    return statedDigest(entry) === digest
      ? []
      : [`${path} is not the file that manifest.lock.json pins`];
  });
}

function photoContradictions(
  opened: OpenedPackage,
  images: readonly ImagesRow[],
): readonly string[] {
  const digests = new Map<string, string | undefined>();
  for (const entry of opened.pkg.entries) {
    if (entry.logicalKey.startsWith('images/')) digests.set(entry.logicalKey, statedDigest(entry));
  }
  return images.flatMap(({ LogicalKey, Digest }) => {
    if (LogicalKey === '' || digests.get(LogicalKey) === Digest) return [];
    const what = digests.has(LogicalKey)
      ? 'is not the photo'
      : 'is not there, though it is the one';
    return [`${LogicalKey} ${what} that metadata/images.csv records`];
  });
}

function contradictory({ name, where }: OpenedPackage, sentences: readonly string[]): PkgError {
  const rest = sentences.length - MAX_NAMED;
  const named = sentences.slice(0, MAX_NAMED).join('; ');
  const more = rest > 0 ? `; and ${String(rest)} more` : '';
  return new PkgError('integrity', `${name} in ${where} contradicts itself: ${named}${more}`, {
    hint: 'It was altered after it was built; ask whoever pushed it.',
  });
}

async function readText(opened: OpenedPackage, logicalKey: string): Promise<string> {
  const entry = entryUnder(opened.pkg, logicalKey);
  if (entry !== undefined) return (await opened.read(entry)).toString('utf8');
  throw new PkgError('not-found', `${opened.name} has no ${logicalKey}`, {
    hint: 'Only a package that pkg built can be built again; check this one with: pkg verify',
  });
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
