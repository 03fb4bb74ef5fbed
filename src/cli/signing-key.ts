/** The key that --sign means. */
import { join } from 'node:path';
import { findSigningKey } from '../index.ts';
import type { CommandContext } from './command.ts';

/** The name under which pkg keys makes a key where none is given. */
const DEFAULT_KEY = 'default';

/**
 * The key of a flag `--sign [key]`, a name of pkg keys or a file.
 * @throws PkgError as `findSigningKey` does.
 */
export async function signingKey(context: CommandContext, sign: string | true) {
  const folder = join(context.configFolder, 'keys');
  return await findSigningKey(context.runtime, folder, sign === true ? DEFAULT_KEY : sign);
}
