/** What of a registry's content passed a proxy: objects, packs and parts of objects. */
import type { Exchange, Passed } from './faulty-proxy.ts';

/** The object of an exchange, with the number of a part; undefined where it carries no content. */
export function contentKey({ path }: Exchange): string | undefined {
  const [key = '', query = ''] = path.replace(/^\/[^/]+\//, '').split('?');
  if (!/^(objects|\.pkg\/packs)\//.test(key)) return undefined;
  return `${key} ${/partNumber=\d+/.exec(query)?.[0] ?? ''}`;
}

/** Objects, packs and parts that the server took whole, with their sizes in bytes. */
export function takenBy(exchanges: readonly Passed[]): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  for (const passed of exchanges) {
    const key = contentKey(passed);
    if (passed.method !== 'PUT' || passed.status !== 200 || key === undefined) continue;
    taken.set(key, passed.sentBytes);
  }
  return taken;
}

/** How many bytes were taken before, and how many of these were sent again later. */
export function sentAgain(
  before: ReadonlyMap<string, number>,
  later: ReadonlyMap<string, number>,
): { readonly arrivedBytes: number; readonly againBytes: number } {
  let [arrivedBytes, againBytes] = [0, 0];
  for (const sizeBytes of before.values()) arrivedBytes += sizeBytes;
  for (const [key, sizeBytes] of later) if (before.has(key)) againBytes += sizeBytes;
  return { arrivedBytes, againBytes };
}
