/** Objects that other tools keep under keys of their own, which no revision reaches any more. */
import type { Storage } from '../storage/storage.ts';
import type { Reach } from './reachable.ts';
import type { Amount } from './remover.ts';

/** Where this tool keeps something itself. */
const OWN_FOLDERS = ['.quilt/', '.pkg/', 'objects/'];

/**
 * What lies beside objects that lists reach under a package's own key, as quilt3 puts them at
 * `user/name/logical key`, and is not reached itself.
 */
export async function countElsewhere(registry: Storage, { keys }: Reach): Promise<Amount> {
  const folders = new Set<string>();
  for (const key of keys) {
    const [user, name, ...rest] = key.split('/');
    const isOwn = OWN_FOLDERS.some((folder) => key.startsWith(folder));
    if (!isOwn && user && name && rest.length > 0) folders.add(`${user}/${name}/`);
  }
  let [count, sum] = [0, 0];
  for (const folder of folders) {
    for await (const { key, sizeBytes } of registry.list(folder)) {
      if (keys.has(key)) continue;
      count++;
      sum += sizeBytes;
    }
  }
  return { count, sizeBytes: sum };
}
