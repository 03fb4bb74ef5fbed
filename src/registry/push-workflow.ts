/** The rules of a registry, applied to a package before it is pushed. */
import { isUtf8 } from 'node:buffer';
import type { Package } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import type { ObjectAddress, Storage } from '../storage/storage.ts';
import { readBounded } from '../storage/whole-content.ts';
import { applyWorkflow, type StoredText } from '../workflows/workflows.ts';

/** A configuration or a schema is a small text. */
const MAX_TEXT_BYTES = 1 << 20;

/**
 * Holds a package against the workflow rules of a registry and returns it with the header that quilt3
 * would give it. `workflow` is what the user named; null for none on purpose.
 * @throws PkgError `usage` for a broken rule; nothing is written.
 */
export async function applyRegistryWorkflow(
  registry: Storage,
  pkg: Package,
  { name, workflow }: { readonly name: string; readonly workflow: string | null | undefined },
): Promise<Package> {
  return await applyWorkflow({
    registryUrl: registry.url,
    read: (key) => readText(registry, { key }),
    readUrl: async (url) => {
      const address = registry.addressOf(url);
      if (address !== undefined) return await readText(registry, address);
      throw new PkgError('usage', `the schema ${url} is not in the registry ${registry.url}`, {
        hint: 'Keep the schemas of workflows in the registry itself.',
      });
    },
    ...{ name, workflow, pkg },
  });
}

async function readText(
  registry: Storage,
  address: ObjectAddress,
): Promise<StoredText | undefined> {
  const found = await registry.read(address);
  if (found === undefined) return undefined;
  const bytes = await readBounded(found.bytes, MAX_TEXT_BYTES);
  if (!isUtf8(bytes)) {
    throw new PkgError('usage', `${registry.url}/${address.key} is not UTF-8`, {
      hint: 'Write it anew; nothing was pushed.',
    });
  }
  return {
    text: bytes.toString('utf8'),
    physicalKey: registry.physicalKey(address.key, found.versionId),
  };
}
