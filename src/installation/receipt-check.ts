/** The check that others built a revision again with the same result, before anything of it is installed. */
import { type PlacedReceipt, readReceipts } from '../registry/receipts.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Receipt } from '../signatures/receipt.ts';
import type { Release } from '../signatures/signatures.ts';
import { keysFor, type TrustedKey, type TrustPolicy } from '../signatures/trust.ts';
import type { Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';

export interface ReceiptNeed {
  /** How many trusted keys have to say that the revision, all of it, came out the same. */
  readonly needed: number;
  /** Receipts stand in the registry, which is not asked `offline`. */
  readonly access: 'online' | 'offline';
}

/**
 * A check for `InstallOptions.check`: as many keys that are trusted for the name as are needed have to say
 * that building it again gave the very same top hash. A key counts once, however often it signed, and
 * receipts of the data alone do not count. One trusted key that says that anything differs is enough to
 * refuse, whatever else it or others say: then somebody is wrong, and a person has to look.
 * @throws PkgError `integrity` with who contradicts, or with how many there are of how many.
 */
export function receiptCheck(registry: Storage, policy: TrustPolicy, need: ReceiptNeed) {
  return async ({ name, topHash }: Release): Promise<void> => {
    if (need.access === 'offline') {
      throw new PkgError('unreachable', `the receipts of ${name} cannot be checked offline`, {
        hint: 'Install it without --offline.',
      });
    }
    const keys = keysFor(policy, registry.url, name);
    const { found, isWhole } = await readReceipts(registry, { name, topHash }, keys);
    refuseContradiction({ name, topHash }, found, keys);
    if (!isWhole) {
      throw new PkgError(
        'integrity',
        `there are too many attestations beside ${name}@${topHash} to be sure of its receipts`,
        { hint: 'Ask whoever keeps the registry to remove what nobody needs of them.' },
      );
    }
    requireCount({ name, topHash }, found, need.needed);
  };
}

function refuseContradiction(
  { name, topHash }: Release,
  found: readonly PlacedReceipt[],
  keys: readonly TrustedKey[],
): void {
  const against = found.find(({ receipt, keyids }) => isDifferent(receipt) && keyids.length > 0);
  const [keyid] = against?.keyids ?? [];
  if (against === undefined || keyid === undefined) return;
  const same = signersOf(found, isSame).length;
  const others =
    same === 0 ? '' : `, though ${countOf(same, 'trusted key')} found all of it the same`;
  throw new PkgError(
    'integrity',
    `${name}@${topHash} came out different when ${nameOf(keyid, keys)} built it again` +
      `${differenceOf(against.receipt)}${others}`,
    {
      hint:
        'Build it yourself with pkg reproduce; if that key is wrong, take its trust back with ' +
        `pkg trust remove ${keyid}`,
    },
  );
}

function requireCount(
  { name, topHash }: Release,
  found: readonly PlacedReceipt[],
  needed: number,
): void {
  const signers = signersOf(found, isSame).length;
  if (signers >= needed) return;
  const strangers = found.filter(({ keyids }) => keyids.length === 0).length;
  const partial = found.filter(({ keyids, receipt }) => keyids.length > 0 && !isSame(receipt));
  const reasons = [
    ...(strangers === 0 ? [] : [`${String(strangers)} by keys that are not trusted`]),
    ...(partial.length === 0 ? [] : [`${String(partial.length)} about its data alone`]),
  ];
  const others = reasons.length === 0 ? '' : `; others do not count: ${reasons.join(', ')}`;
  throw new PkgError(
    'integrity',
    `${name}@${topHash} has receipts of ${countOf(signers, 'trusted key')}, ` +
      `and ${String(needed)} ${needed === 1 ? 'is' : 'are'} required${others}`,
    { hint: 'Ask others to run pkg reproduce --sign, and trust their keys with pkg trust add.' },
  );
}

/** Those who signed a receipt of some kind, each once. */
function signersOf(
  found: readonly PlacedReceipt[],
  isKind: (receipt: Receipt) => boolean,
): readonly Digest[] {
  const keyids = found.filter(({ receipt }) => isKind(receipt)).flatMap((one) => one.keyids);
  return [...new Set(keyids)];
}

/** What is said to be the same counts only where it is all. */
function isSame({ result, scope }: Receipt): boolean {
  return result === 'same' && scope === 'all';
}

function isDifferent({ result }: Receipt): boolean {
  return result === 'differs';
}

function nameOf(keyid: Digest, keys: readonly TrustedKey[]): string {
  const comment = keys.find((key) => key.keyid === keyid)?.comment ?? '';
  return comment === '' ? `key ${keyid}` : `key ${keyid} (${comment})`;
}

function differenceOf({ firstDifference }: Receipt): string {
  const { step, logicalKey } = firstDifference ?? {};
  const parts = [
    ...(step === undefined ? [] : [`in step ${JSON.stringify(step)}`]),
    ...(logicalKey === undefined ? [] : [`at ${JSON.stringify(logicalKey)}`]),
  ];
  return parts.length === 0 ? '' : `, first ${parts.join(' ')}`;
}

function countOf(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? '' : 's'}`;
}
