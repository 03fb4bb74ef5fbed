/** The trust policy: whose signatures count for which packages, and which packages need one. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PkgError } from '../runtime/errors.ts';
import type { Digest } from '../store/digest.ts';
import type { PublicKey } from './keys.ts';

export interface TrustedKey extends PublicKey {
  /** Whose it is, in the user's words. */
  readonly comment: string;
}

export interface TrustRule {
  /** `s3://bucket`, the absolute path of a folder, or `*` for every registry. */
  readonly registry: string;
  /** `user/name`, `user/*` or `*`. */
  readonly name: string;
  readonly keys: readonly TrustedKey[];
  /** Whether such packages are refused without a signature. */
  readonly require: boolean;
}

/** What rules are about: packages of a registry. */
export type TrustScope = Pick<TrustRule, 'registry' | 'name'>;

/** Rules in the order of their scopes, each scope once. */
export interface TrustPolicy {
  readonly rules: readonly TrustRule[];
}

export const NO_TRUST: TrustPolicy = { rules: [] };

const ANY = '*';
const NAME_SCOPE = /^(?:\*|[A-Za-z0-9_-]+\/(?:\*|[A-Za-z0-9_-]+))$/;

/**
 * A scope as a person writes it, with the registry spelt as registries spell themselves.
 * @throws PkgError `usage` where a part is none.
 */
export function parseTrustScope(registry: string, name: string): TrustScope {
  if (!NAME_SCOPE.test(name)) {
    throw new PkgError('usage', `"${name}" names no packages to trust a key for`, {
      hint: 'Write user/name for one package, user/* for those of a user, or * for all.',
    });
  }
  return { registry: registry === ANY ? ANY : spellRegistry(registry), name };
}

/** The keys whose signatures count for a package: those of all rules about it, each once. */
export function keysFor(policy: TrustPolicy, registry: string, name: string): TrustedKey[] {
  const keys = new Map<Digest, TrustedKey>();
  for (const rule of policy.rules) {
    if (!covers(rule, { registry, name })) continue;
    for (const key of rule.keys) if (!keys.has(key.keyid)) keys.set(key.keyid, key);
  }
  return [...keys.values()];
}

/**
 * Whether a package is refused without a signature. The most specific rule about it decides: one with
 * its own name before one with its user's, before one for all names; among these, one with its registry
 * before one for all.
 */
export function requiresSignature(policy: TrustPolicy, registry: string, name: string): boolean {
  const [decisive] = policy.rules
    .filter((rule) => covers(rule, { registry, name }))
    .sort((a, b) => specificity(b) - specificity(a));
  return decisive?.require ?? false;
}

/**
 * Adds a key for a scope. Adding never loosens: a rule that requires signatures goes on requiring them,
 * and a new rule takes over the requirement of every rule that it would overrule.
 */
export function addTrust(
  policy: TrustPolicy,
  scope: TrustScope,
  key: TrustedKey,
  need: 'require' | 'as-before',
): TrustPolicy {
  const before = policy.rules.find((rule) => isSameScope(rule, scope));
  const inherited =
    before?.require ??
    policy.rules.some(
      (rule) => rule.require && overlaps(rule, scope) && specificity(scope) > specificity(rule),
    );
  const rule: TrustRule = {
    registry: scope.registry,
    name: scope.name,
    keys: [...(before?.keys ?? []).filter(({ keyid }) => keyid !== key.keyid), key],
    require: need === 'require' || inherited,
  };
  const others = policy.rules.filter((other) => other !== before);
  return { rules: [...others, rule].sort(compareScopes) };
}

/**
 * Takes away what `subject` says: a key, by its id, or a rule, by the names it is about and a registry.
 * A rule that is left without keys goes, unless it requires signatures: then it stays, and refuses
 * everything until it has another key.
 * @throws PkgError `not-found` where there is no such key or rule.
 */
export function removeTrust(policy: TrustPolicy, subject: string, registry: string): TrustPolicy {
  // Ids of keys have no slash, names of packages have.
  return subject === ANY || subject.includes('/')
    ? withoutRule(policy, parseTrustScope(registry, subject))
    : withoutKey(policy, subject);
}

function withoutKey(policy: TrustPolicy, keyid: string): TrustPolicy {
  const holds = ({ keys }: TrustRule) => keys.some((key) => key.keyid === keyid);
  if (!policy.rules.some(holds)) {
    throw new PkgError('not-found', `no rule trusts the key ${keyid}`, { hint: LIST_HINT });
  }
  const rules = policy.rules.flatMap((rule) => {
    const keys = rule.keys.filter((key) => key.keyid !== keyid);
    return holds(rule) && keys.length === 0 && !rule.require ? [] : [{ ...rule, keys }];
  });
  return { rules };
}

function withoutRule(policy: TrustPolicy, scope: TrustScope): TrustPolicy {
  const rules = policy.rules.filter((rule) => !isSameScope(rule, scope));
  if (rules.length < policy.rules.length) return { rules };
  const { name, registry } = scope;
  throw new PkgError('not-found', `there is no rule about ${name} in ${registry}`, {
    hint: LIST_HINT,
  });
}

const LIST_HINT = 'Show all rules with: pkg trust list';

/** By name, then by registry, in code unit order. */
export function compareScopes(a: TrustScope, b: TrustScope): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.registry === b.registry) return 0;
  return a.registry < b.registry ? -1 : 1;
}

export function isSameScope(a: TrustScope, b: TrustScope): boolean {
  return a.registry === b.registry && a.name === b.name;
}

/** Whether all that `inner` is about is also what `outer` is about. */
function covers(outer: TrustScope, inner: TrustScope): boolean {
  return registryCovers(outer.registry, inner.registry) && nameCovers(outer.name, inner.name);
}

/** Whether some package may be what both are about. */
function overlaps(a: TrustScope, b: TrustScope): boolean {
  const registries =
    registryCovers(a.registry, b.registry) || registryCovers(b.registry, a.registry);
  return registries && (nameCovers(a.name, b.name) || nameCovers(b.name, a.name));
}

function registryCovers(outer: string, inner: string): boolean {
  return outer === ANY || outer === inner;
}

function nameCovers(outer: string, inner: string): boolean {
  if (outer === ANY || outer === inner) return true;
  return outer.endsWith('/*') && inner.startsWith(outer.slice(0, -1));
}

function specificity({ registry, name }: TrustScope): number {
  const ofName = name === ANY ? 0 : name.endsWith('/*') ? 1 : 2;
  return 2 * ofName + (registry === ANY ? 0 : 1);
}

function spellRegistry(address: string): string {
  if (/^s3:\/\/[^/]+\/*$/i.test(address)) {
    return `s3://${address.slice('s3://'.length).replace(/\/+$/, '')}`;
  }
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(address)) return resolve(address);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'file:' && url.host === '') return resolve(fileURLToPath(url));
  throw new PkgError('usage', `"${address}" is not the address of a registry`, {
    hint: 'Registries are s3://bucket or a folder; * stands for all of them.',
  });
}
