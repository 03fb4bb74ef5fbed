/** The answer to why a file is in a package, out of the package alone. */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { entryUnder, findInstalled, type OpenedPackage } from '../installation/opened-package.ts';
import type { Entry } from '../package/entry.ts';
import { isJsonObject } from '../package/lossless-json.ts';
import { statedDigest } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { makerOf, parametersOf } from './file-steps.ts';
import { readRecipe, readText } from './recipe.ts';
import { countCrops, findCrop, findCropsOf, findPhoto } from './table-facts.ts';
import type { FileLineage, ModelFacts } from './why.ts';

const MODEL = 'models/model.json';

const modelSchema = z.object({ userDefinedMetadata: z.object({ classes: z.array(z.string()) }) });

/**
 * Tells what a file of a package was made of. Everything comes out of the package, whose top hash covers
 * it; what an older package does not have, or what was not installed, is told as unknown.
 * @throws PkgError `not-found` where the package has no such file, `integrity` where one that is needed
 * is damaged.
 */
export async function explainFile(opened: OpenedPackage, logicalKey: string): Promise<FileLineage> {
  const entry = entryUnder(opened.pkg, logicalKey);
  if (entry === undefined) throw absent(opened, logicalKey);
  const recipe = await readRecipe(opened);
  const { kind, step } = makerOf(logicalKey, recipe);
  const unknown = [...recipe.unknown];
  const facts = await factsOf(opened, entry, kind, unknown);
  const parameters = parametersOf(step, recipe);
  const sha256 = statedDigest(entry);
  const { name, topHash, where } = opened;
  const { sizeBytes, hash } = entry;
  return {
    ...{ name, topHash, where, logicalKey, sizeBytes, hash, kind },
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(step === undefined ? {} : { step }),
    ...facts,
    ...(parameters === undefined ? {} : { parameters }),
    ...{ sources: recipe.sources, bases: recipe.bases },
    ...(recipe.code === undefined ? {} : { code: recipe.code }),
    unknown,
  };
}

type Facts = Pick<FileLineage, 'photo' | 'crop' | 'crops' | 'model'>;

async function factsOf(
  opened: OpenedPackage,
  entry: Entry,
  kind: FileLineage['kind'],
  unknown: string[],
): Promise<Facts> {
  const { logicalKey } = entry;
  switch (kind) {
    case 'crop': {
      const found = await findCrop(opened, logicalKey, unknown);
      if (found === undefined) return {};
      const photo = await findPhoto(opened, { imageId: found.imageId }, unknown);
      return { crop: found.crop, ...(photo === undefined ? {} : { photo }) };
    }
    case 'photo': {
      const photo = await findPhoto(opened, { logicalKey }, unknown);
      if (photo === undefined) return {};
      return { photo, crops: await findCropsOf(opened, photo.imageId, unknown) };
    }
    case 'model':
      return { model: await modelFacts(opened, entry, unknown) };
    case 'table':
    case 'other':
      return {};
  }
}

async function modelFacts(
  opened: OpenedPackage,
  entry: Entry,
  unknown: string[],
): Promise<ModelFacts> {
  const own = entry.meta.get('pkg');
  const data = isJsonObject(own) ? own.get('data') : undefined;
  const text = await readText(opened, MODEL, unknown, 'classes of the model');
  return {
    classes: text === undefined ? [] : classesIn(text, unknown),
    ...(await countCrops(opened, unknown)),
    ...(typeof data === 'string' ? { data } : {}),
  };
}

function classesIn(text: string, unknown: string[]): readonly string[] {
  try {
    const { data } = modelSchema.safeParse(JSON.parse(text));
    if (data !== undefined) return data.userDefinedMetadata.classes;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  unknown.push(`${MODEL} does not say its classes`);
  return [];
}

/** Only keys beside the one that was meant are compared: a package may have a million. */
const MAX_SUGGESTED_FROM = 10_000;

function absent({ pkg, name, where }: OpenedPackage, logicalKey: string): PkgError {
  const near: string[] = [];
  const folder = logicalKey.slice(0, logicalKey.lastIndexOf('/') + 1);
  for (const entry of pkg.entries) {
    if (near.length >= MAX_SUGGESTED_FROM) break;
    if (entry.logicalKey.startsWith(folder)) near.push(entry.logicalKey);
  }
  return new PkgError('not-found', `${name} in ${where} has no file ${logicalKey}`, {
    hint: didYouMean(logicalKey, near) ?? `See what it has with: pkg ls ${name}`,
  });
}

/**
 * The installed package that a path stands in, in the nearest folder above it, and the path's logical
 * key there.
 * @throws PkgError `not-found` where no folder above has an installed package.
 */
export async function findInstalledAround(
  path: string,
): Promise<{ readonly opened: OpenedPackage; readonly logicalKey: string }> {
  const whole = resolve(path);
  for (let folder = dirname(whole); ; folder = dirname(folder)) {
    const opened = await findInstalled(folder);
    if (opened !== undefined) {
      return { opened, logicalKey: relative(folder, whole).split(sep).join('/') };
    }
    if (dirname(folder) !== folder) continue;
    throw new PkgError('not-found', `${path} is in no folder that a package was installed into`, {
      hint: 'Name the folder with --in, or a package: pkg why user/name <file> --registry <address>',
    });
  }
}

/** A path's logical key in a folder, where it is given from the folder or from where the user is. */
export function keyInFolder(folder: string, path: string): string {
  const from = relative(resolve(folder), resolve(path));
  const isInside = from !== '' && !from.startsWith(`..${sep}`) && from !== '..';
  return (isInside ? from : relative(folder, join(folder, path))).split(sep).join('/');
}
