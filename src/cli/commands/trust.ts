/** `pkg trust`: whose signatures count for which packages. */
import { basename, join } from 'node:path';
import { z } from 'zod';
import {
  addTrust,
  parseTrustScope,
  readPublicKey,
  readTrust,
  removeTrust,
  writeTrust,
} from '../../index.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { columns } from '../text.ts';

type Policy = Awaited<ReturnType<typeof readTrust>>;

const registry = z.string().default('*');

const REGISTRY_OPTION = [
  '--registry <address>',
  's3://bucket or a folder (default: *, every registry)',
] as const;

export const trustAddCommand = defineCommand({
  positionals: [['<key>', 'the .pub file of whoever is to be trusted']],
  options: [
    ['--name <names>', 'user/name, or user/* for all of a user (default: *, all packages)'],
    REGISTRY_OPTION,
    ['--require', 'refuse such packages where no trusted key signed them'],
  ],
  schema: z.object({
    key: z.string(),
    name: z.string().default('*'),
    registry,
    require: z.boolean().default(false),
  }),
  async run(context, flags) {
    const scope = parseTrustScope(flags.registry, flags.name);
    const key = { ...(await readPublicKey(flags.key)), comment: basename(flags.key) };
    const need = flags.require ? 'require' : 'as-before';
    return await change(context, (policy) => addTrust(policy, scope, key, need));
  },
  print: describeRules,
});

export const trustListCommand = defineCommand({
  positionals: [],
  options: [],
  schema: z.object({}),
  run: async (context) => rulesOf(await readTrust(pathOf(context))),
  print: describeRules,
});

export const trustRemoveCommand = defineCommand({
  positionals: [
    ['<subject>', 'the id of a key, or the names that a rule is about, such as user/*'],
  ],
  options: [REGISTRY_OPTION],
  schema: z.object({ subject: z.string(), registry }),
  run: (context, flags) =>
    change(context, (policy) => removeTrust(policy, flags.subject, flags.registry)),
  print: describeRules,
});

async function change(context: CommandContext, edit: (policy: Policy) => Policy) {
  const path = pathOf(context);
  const policy = edit(await readTrust(path));
  await writeTrust(path, policy);
  return rulesOf(policy);
}

function pathOf({ configFolder }: CommandContext): string {
  return join(configFolder, 'trust.json');
}

function rulesOf(policy: Policy) {
  const rules = policy.rules.map((rule) => ({
    ...rule,
    keys: rule.keys.map(({ keyid, comment }) => ({ keyid, comment })),
  }));
  return { rules };
}

function describeRules({ rules }: ReturnType<typeof rulesOf>): string {
  const rows = rules.flatMap(({ name, registry: where, keys, require }) => {
    const shown = keys.length === 0 ? [{ keyid: 'no key', comment: '' }] : keys;
    const need = require ? 'required' : 'optional';
    return shown.map(({ keyid, comment }) => [name, where, need, keyid, comment]);
  });
  return rows.length === 0 ? 'No key is trusted and no signature required.' : columns(rows);
}
