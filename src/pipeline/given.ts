/** What a build is given from outside, as trees: source tables, a data package, a base model, code. */
import { dirname } from 'node:path';
import { openPinnedCode } from '../git/git.ts';
import { entryTree, keepEntries } from '../installation/kept-entries.ts';
import { entryUnder, type OpenedPackage } from '../installation/opened-package.ts';
import type { Lockfile, PinnedBase } from '../lockfile/lockfile.ts';
import type { ManifestSource } from '../manifest/parse.ts';
import type { Entry } from '../package/entry.ts';
import { PkgError } from '../runtime/errors.ts';
import { BASE_FILES, baseLogicalKeys } from '../steps/base.ts';
import { dataOfPackage } from '../steps/dataset.ts';
import { CODE_ARCHIVE } from '../steps/tensorflow-model.ts';
import type { Descriptor } from '../store/digest.ts';
import { entryAt, type Tree, treeOf } from '../store/tree.ts';
import { isData } from './assemble.ts';
import type { PinContext } from './pins.ts';
import type { Given } from './plan.ts';
import { sourceTree } from './sources.ts';

export interface GivenTrees {
  readonly given: Given;
  /** Brings the bytes of the data package into the store; the other trees' are there. */
  readonly openData: () => Promise<void>;
}

/**
 * Opens what a lockfile pins beside tables and photos.
 * @throws PkgError `integrity` where a package is not what the lockfile pins, `not-found` where it is not
 * there any more, and as `openPinnedCode` does.
 */
export async function openGiven(
  context: PinContext,
  { file }: ManifestSource,
  lockfile: Lockfile,
): Promise<GivenTrees> {
  const { sources, code } = lockfile;
  const data = await openBase(context, lockfile, 'data');
  const entries = data === undefined ? [] : dataEntries(data.opened);
  const archive =
    code === undefined ? undefined : await openPinnedCode(context, code, dirname(file));
  return {
    given: {
      ...(sources === undefined ? {} : { sources: sourceTree(sources) }),
      ...(data === undefined ? {} : { data: dataOfPackage(entryTree(entries)) }),
      ...(await baseModel(context, lockfile)),
      ...(archive === undefined ? {} : { code: codeTree(archive) }),
    },
    openData: async () => {
      if (data === undefined) return;
      await keepEntries(context.runtime, context.store, data.opened, entries);
    },
  };
}

/** The tree that a step finds pinned code in. */
export function codeTree(archive: Descriptor): Tree {
  return [{ path: CODE_ARCHIVE, digest: archive.digest, sizeBytes: archive.sizeBytes }];
}

function dataEntries({ pkg }: OpenedPackage): readonly Entry[] {
  return [...pkg.entries].filter(({ logicalKey }) => isData(logicalKey));
}

async function baseModel(context: PinContext, lockfile: Lockfile): Promise<Given> {
  const found = await openBase(context, lockfile, 'model');
  if (found === undefined) return {};
  const { base, opened } = found;
  const keys = baseLogicalKeys({ path: base.path ?? MODEL_PATH });
  const entries = keys.map((logicalKey) => demand(opened, logicalKey));
  const tree = await keepEntries(context.runtime, context.store, opened, entries);
  return {
    base: treeOf(BASE_FILES.map((path, index) => ({ ...entryAt(tree, keys[index] ?? ''), path }))),
  };
}

/** Where a lockfile that does not say it means a model. */
const MODEL_PATH = 'models/model.json';

function demand(opened: OpenedPackage, logicalKey: string): Entry {
  const entry = entryUnder(opened.pkg, logicalKey);
  if (entry !== undefined) return entry;
  throw new PkgError('manifest', `${opened.name} has no ${logicalKey}`, {
    key: 'model.base',
    hint: `See what it has with: pkg ls ${opened.name}`,
  });
}

async function openBase(
  { findPackage }: PinContext,
  { bases = [] }: Lockfile,
  use: PinnedBase['use'],
): Promise<{ readonly base: PinnedBase; readonly opened: OpenedPackage } | undefined> {
  const base = bases.find((candidate) => candidate.use === use);
  if (base === undefined) return undefined;
  const opened = await findPackage(`${base.name}@${base.topHash}`);
  if (opened.topHash === base.topHash) return { base, opened };
  throw new PkgError('integrity', `${base.name} came with top hash ${opened.topHash}`, {
    hint: `Expected ${base.topHash}; the registry is damaged.`,
  });
}
