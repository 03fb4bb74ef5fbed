/** Install: a package, or a part of it, out of a registry or the store into a folder. */
import { join } from 'node:path';
import { packageSizeBytes, type TopHash } from '../package/package.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import type { Reference } from '../registry/reference.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import { carryOut } from './carry-out.ts';
import {
  type Derivation,
  type Derive,
  type DeriveCounts,
  ownStore,
  plannedCounts,
  removeOwnStore,
  withDerived,
} from './deriving.ts';
import { FileCache } from './file-cache.ts';
import { type FoundPackage, findPackage } from './find-package.ts';
import {
  findInstallation,
  type Installation,
  installedEntries,
  isEmptyFolder,
  prepareFolder,
  readNotes,
  refuseLink,
  writeInstallation,
} from './installation.ts';
import type { LinkMode } from './link-method.ts';
import { withLock } from './lock.ts';
import { type ForeignFiles, makeRoom, requireRoom } from './make-room.ts';
import { type Plan, planInstall } from './plan.ts';
import { type PlanSummary, requireInStore, summarizePlan } from './plan-summary.ts';
import {
  joinSelection,
  partOf,
  requirePart,
  type Selection,
  selectedEntries,
} from './selection.ts';

/** What was installed. */
export interface InstallResult {
  readonly name: string;
  readonly topHash: TopHash;
  readonly entries: number;
  readonly sizeBytes: number;
  /** Files that came from the registry, from the store, and files that were here already. */
  readonly fetched: number;
  readonly fromStore: number;
  readonly reused: number;
  /** What came from the registry, without what had arrived before of large files. */
  readonly fetchedBytes: number;
  /** Only where deriving was asked for; what was derived is neither fetched nor from the store. */
  readonly derived?: DeriveCounts;
}

/** What would be installed. */
export interface InstallPlan extends PlanSummary {
  readonly name: string;
  readonly topHash: TopHash;
  readonly entries: number;
  readonly sizeBytes: number;
  /** Only where deriving was asked for; what would be derived is neither fetched nor from the store. */
  readonly derived?: DeriveCounts;
}

export interface InstallOptions {
  readonly folder: string;
  /** Logical keys or folders; empty for all. */
  readonly paths: readonly string[];
  /** Patterns (`globs.ts`) for what is wanted, of what is at the paths, and for what is not. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly foreignFiles: ForeignFiles;
  /** Where bytes are looked for first, and kept where files can be links to them. */
  readonly store?: Store | undefined;
  readonly link?: LinkMode;
  /** Asks the registry nothing: revision and bytes have to be in the folder or the store. */
  readonly offline?: boolean;
  /** Called once the list was read, before anything is written; what it throws ends the install. */
  readonly check?: (found: FoundPackage) => Promise<void>;
  /** Makes entries out of others instead of fetching them, where that moves fewer bytes. */
  readonly derive?: Derive | undefined;
}

/** All that is known before the folder is looked at. */
interface Intent {
  readonly runtime: Runtime;
  readonly registry: Storage;
  readonly options: InstallOptions;
  readonly found: FoundPackage;
  readonly before: Installation | undefined;
  readonly selection: Selection;
}

/**
 * Installs a revision. Each file is hashed before it gets its name; an install that was killed goes on
 * where it stopped, also in the middle of a large file.
 * @throws PkgError `usage` for a folder with other files in it or local changes, `not-found` for paths or
 * patterns of which the package has nothing, `integrity` for bytes that are not the package's and for keys
 * or links that lead outside the folder, `unreachable` where offline something is missing, `conflict`
 * where another install holds the folder for too long.
 */
export async function installPackage(
  runtime: Runtime,
  registry: Storage,
  reference: Reference,
  options: InstallOptions,
): Promise<InstallResult> {
  const { folder } = options;
  const notes = await readNotes(folder);
  const intent = await intend(runtime, registry, reference, options);
  await prepareFolder(folder, runtime.clock.now());
  const lock = join(folder, OWN_FOLDER, 'lock');
  return await withLock(runtime, lock, folder, async () => {
    const isAsBefore = (await readNotes(folder)) === notes;
    return await installLocked(isAsBefore ? intent : await renew(intent));
  });
}

/**
 * Says what an install with the same arguments would do; writes nothing. What is in the way of an install
 * is a part of the answer here.
 */
export async function planPackage(
  runtime: Runtime,
  registry: Storage,
  reference: Reference,
  options: InstallOptions,
): Promise<InstallPlan> {
  const intent = await intend(runtime, registry, reference, options);
  const cache = await FileCache.open(runtime, options.folder);
  const plan = await planOf(intent, cache);
  const derivation = await planDerivation(intent, plan);
  const derived = derivation === undefined ? {} : { derived: plannedCounts(derivation, plan) };
  return { ...headOf(intent, plan), ...summarizePlan(plan), ...derived };
}

async function intend(
  runtime: Runtime,
  registry: Storage,
  reference: Reference,
  options: InstallOptions,
): Promise<Intent> {
  const { folder, store } = options;
  const before = await findOwn(reference.name, options);
  const offline = options.offline ?? false;
  const wanted = { registry, reference, before, store, offline };
  const { topHash, pkg } = await findPackage(runtime, wanted);
  const asked = askedPart(options);
  await requirePart(pkg, asked);
  const found = { name: reference.name, topHash, pkg };
  await options.check?.(found);
  await refuseLink(join(folder, OWN_FOLDER));
  const selection = joinSelection(sameName(before, found), asked);
  return { runtime, registry, options, found, before, selection };
}

/** Another command has installed into the folder since it was looked at. */
async function renew(intent: Intent): Promise<Intent> {
  const { found, options } = intent;
  const before = await findOwn(found.name, options);
  const selection = joinSelection(sameName(before, found), askedPart(options));
  return { ...intent, before, selection };
}

function askedPart({ paths, include = [], exclude = [] }: InstallOptions) {
  return partOf(paths, include, exclude);
}

function sameName(
  before: Installation | undefined,
  { name }: FoundPackage,
): Installation | undefined {
  return before?.name === name ? before : undefined;
}

async function planOf(
  { runtime, options, found, before, selection }: Intent,
  cache: FileCache,
): Promise<Plan> {
  const { folder } = options;
  const store = storeOf(options);
  const selected = await selectedEntries(found.pkg, selection);
  const installed = before === undefined ? [] : await installedEntries(before);
  return await planInstall(runtime, { folder, selected, installed, store, cache });
}

/** The store of an install, which has to have one where something is derived. */
function storeOf({ store, derive, folder }: InstallOptions): Store | undefined {
  return store ?? (derive === undefined ? undefined : ownStore(folder));
}

async function planDerivation(
  { runtime, registry, options, found }: Intent,
  plan: Plan,
): Promise<Derivation | undefined> {
  const { folder, offline = false, derive } = options;
  const store = storeOf(options) ?? ownStore(folder);
  return await derive?.(runtime, { registry, found, plan, folder, store, offline });
}

async function installLocked(intent: Intent): Promise<InstallResult> {
  const { registry, options, found, before, selection } = intent;
  const { folder } = options;
  const cache = await FileCache.open(intent.runtime, folder);
  const plan = await planOf(intent, cache);
  requireRoom(folder, plan, options.foreignFiles);
  const derivation = await planDerivation(intent, plan);
  if (options.offline === true) requireInStore(plan);
  const derived = await derivation?.carryOut();
  await makeRoom(folder, plan);
  const noted = { ...found, registry: registry.url, ...selection };
  await writeInstallation(folder, noted, before);
  const carried = await carryOutPlan(intent, plan, cache);
  await removeOwnStore(folder);
  const counts = derived === undefined ? carried : withDerived(carried, derived);
  const head = headOf(intent, plan);
  const elsewhere = counts.fetched + counts.fromStore + (derived?.crops ?? 0);
  return { ...head, ...counts, reused: head.entries - elsewhere };
}

async function carryOutPlan({ runtime, registry, options }: Intent, plan: Plan, cache: FileCache) {
  const { folder, link = 'auto', offline = false } = options;
  // A store that goes away again is nothing that files could be links to.
  const how = options.store === undefined && link === 'auto' ? 'copy' : link;
  const store = storeOf(options);
  return await carryOut(runtime, { registry, plan, folder, store, link: how, offline, cache });
}

function headOf({ found }: Intent, { selected }: Plan) {
  const sizeBytes = packageSizeBytes({ ...found.pkg, entries: selected });
  return { name: found.name, topHash: found.topHash, entries: selected.length, sizeBytes };
}

/** The installation in a folder that may be installed into. */
async function findOwn(
  name: string,
  { folder, foreignFiles }: InstallOptions,
): Promise<Installation | undefined> {
  const found = await findInstallation(folder);
  if (foreignFiles === 'overwrite') return found;
  if (found === undefined) {
    if (await isEmptyFolder(folder)) return undefined;
    throw new PkgError('usage', `${folder} is not empty and no package was installed into it`, {
      hint: 'Name an empty or new folder with --dest, or overwrite with --force.',
    });
  }
  if (found.name !== name) {
    throw new PkgError('usage', `${folder} holds the package ${found.name}`, {
      hint: 'Name another folder with --dest, or overwrite with --force.',
    });
  }
  return found;
}
