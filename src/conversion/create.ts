/** Making a registry: the settings that say how it keeps objects. */

import { findSettings, holdsAnything, type Policy, writeSettings } from '../objects/settings.ts';
import { PkgError } from '../runtime/errors.ts';
import { IF_ABSENT, type Storage } from '../storage/storage.ts';

/**
 * Says how a registry keeps objects from now on. One that says the same already is left as it is.
 * @throws PkgError `conflict` where it says otherwise, or holds packages of Quilt3 and is to keep packs.
 */
export async function createRegistry(
  storage: Storage,
  policy: Policy,
): Promise<{ readonly policy: Policy; readonly isNew: boolean }> {
  const found = await findSettings(storage);
  if (found === undefined) {
    if (policy === 'packs' && (await holdsAnything(storage))) {
      throw new PkgError('conflict', `${storage.url} holds packages as objects of their own`, {
        hint: 'Keep them so with --policy objects, or convert: pkg registry convert --policy packs',
      });
    }
    const written = await writeSettings(storage, { policy, looseObjects: false }, IF_ABSENT);
    if (written === 'written') return { policy, isNew: true };
  }
  const now = found ?? (await findSettings(storage));
  if (now?.policy === policy) return { policy, isNew: false };
  throw new PkgError('conflict', `${storage.url} is a registry of ${now?.policy ?? 'objects'}`, {
    hint: `Convert it: pkg registry convert --policy ${policy}`,
  });
}
