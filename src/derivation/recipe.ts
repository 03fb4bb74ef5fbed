/** The recipe of a package's crops: what its lockfile says of how they were cut. */
import { z } from 'zod';
import { type Lockfile, type PinnedBase, parseLockfile } from '../lockfile/lockfile.ts';
import type { CropParams } from '../manifest/manifest.ts';
import { PkgError } from '../runtime/errors.ts';
import { toolchainOf } from '../steps/toolchain.ts';

/** Where a package that pkg built carries its lockfile. */
export const LOCKFILE_KEY = 'manifest.lock.json';

export const FETCH_INSTEAD = 'Fetch the crops as they are: install without --derive.';

export interface Recipe {
  readonly params: CropParams;
  /** What cut the crops, and what would cut them here, as `sharp 0.35.5`. */
  readonly theirs: string;
  readonly ours: string;
}

/** Every parameter is written into a lockfile, so there are no defaults here. */
const paramsSchema: z.ZodType<CropParams> = z.strictObject({
  minSidePx: z.int().min(1),
  paddingFraction: z.number().min(0),
  upright: z.boolean(),
  format: z.enum(['jpeg', 'png', 'webp']),
  quality: z.int().min(1).max(100),
});

/**
 * Reads the recipe in a package's lockfile.
 * @throws PkgError `not-found` where the lockfile has none that this version could follow, `integrity`
 * where the crops were cut by other versions, which would give other bytes here.
 */
export function readRecipe(text: string, name: string): Recipe {
  const { parameters, toolchain, bases = [] } = readLockfile(text, name);
  const base = bases.find(({ use }) => use === 'data');
  if (base !== undefined) throw builtUpon(name, base);
  const params = paramsSchema.safeParse(parameters['crop']);
  if (!params.success) {
    const message = `${LOCKFILE_KEY} of ${name} does not say how its crops are to be cut`;
    throw new PkgError('not-found', message, { hint: FETCH_INSTEAD, cause: params.error });
  }
  const here = toolchainOf('crop');
  const [theirs, ours] = [describe(toolchain, here), describe(here, here)];
  if (theirs === ours) return { params: params.data, theirs, ours };
  throw new PkgError(
    'integrity',
    `the crops of ${name} were cut by ${theirs}, here is ${ours}: derived ones might differ`,
    { hint: FETCH_INSTEAD },
  );
}

function readLockfile(text: string, name: string): Lockfile {
  try {
    return parseLockfile(text, `${LOCKFILE_KEY} of ${name}`);
  } catch (error) {
    if (!(error instanceof PkgError)) throw error;
    throw new PkgError('not-found', error.message, { hint: FETCH_INSTEAD, cause: error });
  }
}

/** The crops came with the data of another package, which says how they were cut. */
function builtUpon(name: string, base: PinnedBase): PkgError {
  const theirs = `${base.name}@${base.topHash}`;
  return new PkgError('not-found', `the crops of ${name} are those of ${theirs}`, {
    hint: `Install that with --derive, and this then finds them in the store. ${FETCH_INSTEAD}`,
  });
}

/** The versions of a toolchain's parts that count here. */
function describe(
  toolchain: Readonly<Record<string, string>>,
  counting: Readonly<Record<string, string>>,
): string {
  const parts = Object.keys(counting).map((part) => {
    const version = toolchain[part];
    return part === 'crop' ? `crop step ${version ?? '?'}` : `${part} ${version ?? '?'}`;
  });
  return parts.join(' and ');
}
