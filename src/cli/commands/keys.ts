/** `pkg keys`: key pairs to sign releases with. */
import { join } from 'node:path';
import { z } from 'zod';
import { generateKey, type KeyFiles, listKeys } from '../../index.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { columns } from '../text.ts';

export const keysGenerateCommand = defineCommand({
  positionals: [['[name]', 'what the key is called (default: default); --sign takes it']],
  options: [],
  schema: z.object({ name: z.string().default('default') }),
  run: (context, { name }) => generateKey(folderOf(context), name),
  print: ({ keyid, privatePath, publicPath }: KeyFiles) =>
    `Wrote ${publicPath}, for whoever should trust you,\n` +
    `and ${privatePath ?? ''}, which is to be kept secret.\nkey ${keyid}`,
});

export const keysListCommand = defineCommand({
  positionals: [],
  options: [],
  schema: z.object({}),
  run: async (context) => ({ keys: await listKeys(folderOf(context)) }),
  print({ keys }) {
    const rows = keys.map(({ name, keyid, privatePath }) => [
      name,
      keyid,
      privatePath === undefined ? 'public key alone' : 'can sign',
    ]);
    return rows.length === 0 ? 'no keys' : columns(rows);
  },
});

function folderOf({ configFolder }: CommandContext): string {
  return join(configFolder, 'keys');
}
