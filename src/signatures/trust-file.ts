/** The file of the trust policy: who is trusted, written by hand or by commands. */
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import { readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { parseJsonAs } from './issues.ts';
import { parsePublicKey } from './keys.ts';
import {
  compareScopes,
  isSameScope,
  NO_TRUST,
  parseTrustScope,
  type TrustPolicy,
  type TrustScope,
} from './trust.ts';

const TRUST_VERSION = 1;

const scopePart = z.string().min(1);

const keySchema = z
  .strictObject({ keyid: z.string(), publicKey: z.string(), comment: z.string().default('') })
  .transform(({ keyid, publicKey, comment }, context) => {
    const key = orIssue(context, () => parsePublicKey(publicKey, 'publicKey'));
    if (key.keyid !== keyid) context.addIssue(`keyid is not that of publicKey, ${key.keyid}`);
    return { ...key, comment };
  });

const ruleSchema = z
  .strictObject({
    registry: scopePart,
    name: scopePart,
    keys: z.array(keySchema),
    require: z.boolean(),
  })
  .transform((rule, context) => {
    const scope = orIssue(context, () => parseTrustScope(rule.registry, rule.name));
    return { ...scope, keys: rule.keys, require: rule.require };
  });

const policySchema = z.strictObject({
  version: z.literal(TRUST_VERSION),
  rules: z.array(ruleSchema).superRefine((rules, context) => {
    const twice = rules.findIndex((rule, index) => firstOf(rules, rule) !== index);
    const rule = rules[twice];
    if (rule === undefined) return;
    context.addIssue({
      code: 'custom',
      path: [twice],
      message: `there are two rules about ${rule.name} in ${rule.registry}`,
    });
  }),
});

/**
 * Reads the policy; a file that is absent trusts nobody and requires nothing.
 * @throws PkgError `usage` that names the file and the key at fault.
 */
export async function readTrust(path: string): Promise<TrustPolicy> {
  const text = await readTextIfPresent(path);
  if (text === undefined) return NO_TRUST;
  const { rules } = parseJsonAs(
    policySchema,
    text,
    (reason, cause) =>
      new PkgError('usage', `${path} is not a trust policy: ${reason}`, {
        hint: 'Correct the file; docs/format.md has its form.',
        cause,
      }),
  );
  return { rules: [...rules].sort(compareScopes) };
}

/** Replaces the file of the policy in one move. */
export async function writeTrust(path: string, policy: TrustPolicy): Promise<void> {
  await writeFileAtomic(path, formatTrust(policy));
}

/** The policy as JSON in one order, two spaces a level. */
export function formatTrust(policy: TrustPolicy): string {
  const rules = policy.rules.map(({ registry, name, keys, require }) => ({
    registry,
    name,
    keys: keys.map(({ keyid, pem, comment }) => ({ keyid, publicKey: pem, comment })),
    require,
  }));
  return `${JSON.stringify({ version: TRUST_VERSION, rules }, null, 2)}\n`;
}

function firstOf(rules: readonly TrustScope[], scope: TrustScope): number {
  return rules.findIndex((rule) => isSameScope(rule, scope));
}

/** What `read` gives, with its error as a problem of the value at hand. */
function orIssue<T>(context: z.RefinementCtx, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PkgError)) throw error;
    context.addIssue(error.message);
    return z.NEVER;
  }
}
