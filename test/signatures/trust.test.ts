/** Whose signatures count, and where one is needed: the most specific rule decides, and adding never loosens. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  addTrust,
  keysFor,
  NO_TRUST,
  parseTrustScope,
  removeTrust,
  requiresSignature,
  type TrustedKey,
  type TrustPolicy,
} from '../../src/signatures/trust.ts';
import { freshKey } from '../support/signing-keys.ts';

const [K1, K2, K3] = ['one', 'two', 'three'].map((comment) => ({
  ...freshKey().publicKey,
  comment,
})) as [TrustedKey, TrustedKey, TrustedKey];

type Rule = readonly [registry: string, name: string, key: TrustedKey, need?: 'require'];

function policyOf(...rules: readonly Rule[]): TrustPolicy {
  return rules.reduce(
    (policy, [registry, name, key, need]) =>
      addTrust(policy, parseTrustScope(registry, name), key, need ?? 'as-before'),
    NO_TRUST,
  );
}

const names = (keys: readonly TrustedKey[]) => keys.map(({ comment }) => comment).sort();

describe('keysFor', () => {
  const policy = policyOf(
    ['*', '*', K1],
    ['s3://b', 'ada/*', K2],
    ['*', 'ada/set', K3],
    ['*', 'ada/set', K1],
  );

  it('gives the keys of all rules about a package, each once', () => {
    expect(names(keysFor(policy, 's3://b', 'ada/set'))).toEqual(['one', 'three', 'two']);
    expect(names(keysFor(policy, 's3://c', 'ada/set'))).toEqual(['one', 'three']);
    expect(names(keysFor(policy, 's3://b', 'ada/sets'))).toEqual(['one', 'two']);
    expect(names(keysFor(policy, 's3://b', 'adam/set'))).toEqual(['one']);
    expect(keysFor(NO_TRUST, 's3://b', 'ada/set')).toEqual([]);
  });
});

describe('requiresSignature', () => {
  it('asks for none where no rule is about a package', () => {
    const policy = policyOf(['s3://b', 'ada/*', K1, 'require']);
    expect(requiresSignature(policy, 's3://b', 'ada/set')).toBe(true);
    expect(requiresSignature(policy, 's3://b', 'bob/set')).toBe(false);
    expect(requiresSignature(policy, 's3://c', 'ada/set')).toBe(false);
  });

  it('obeys the most specific rule: name, then user, then registry', () => {
    const rule = (registry: string, name: string, require: boolean) => ({
      registry,
      name,
      keys: [K1],
      require,
    });
    const ladder = [
      rule('*', '*', true),
      rule('s3://b', '*', false),
      rule('*', 'ada/*', true),
      rule('s3://b', 'ada/*', false),
      rule('*', 'ada/set', true),
      rule('s3://b', 'ada/set', false),
    ];
    for (let length = 1; length <= ladder.length; length++) {
      const rules = ladder.slice(0, length);
      const expected = length % 2 === 1;
      expect(requiresSignature({ rules }, 's3://b', 'ada/set')).toBe(expected);
      expect(requiresSignature({ rules: rules.reverse() }, 's3://b', 'ada/set')).toBe(expected);
    }
  });
});

describe('addTrust', () => {
  it('keeps one rule a scope, sorted, with the newest words for a key', () => {
    const policy = policyOf(
      ['*', 'b/x', K1],
      ['*', 'a/x', K1],
      ['*', 'b/x', K2],
      ['*', 'b/x', { ...K1, comment: 'anew' }],
    );
    expect(policy.rules.map(({ name, keys }) => [name, names(keys)])).toEqual([
      ['a/x', ['one']],
      ['b/x', ['anew', 'two']],
    ]);
  });

  it('never lifts a requirement, neither of the rule it adds to nor of one it overrules', () => {
    const required = policyOf(['s3://b', '*', K1, 'require']);
    const same = addTrust(required, parseTrustScope('s3://b', '*'), K2, 'as-before');
    expect(requiresSignature(same, 's3://b', 'ada/set')).toBe(true);
    for (const scope of [
      ['s3://b', 'ada/set'],
      ['*', 'ada/set'],
      ['*', 'ada/*'],
    ] as const) {
      const [registry, name] = scope;
      const added = addTrust(required, parseTrustScope(registry, name), K2, 'as-before');
      expect(requiresSignature(added, 's3://b', 'ada/set')).toBe(true);
    }
  });

  it('takes over no requirement of rules that it leaves in force or does not meet', () => {
    const required = policyOf(['*', 'ada/set', K1, 'require'], ['s3://c', '*', K1, 'require']);
    const wide = addTrust(required, parseTrustScope('s3://b', '*'), K2, 'as-before');
    expect(requiresSignature(wide, 's3://b', 'bob/set')).toBe(false);
    expect(requiresSignature(wide, 's3://b', 'ada/set')).toBe(true);
  });
});

describe('removeTrust', () => {
  const policy = policyOf(
    ['*', 'ada/*', K1],
    ['*', 'bob/*', K1],
    ['*', 'bob/*', K2],
    ['*', 'eve/*', K1, 'require'],
  );

  it('takes a key out of every rule; one that requires signatures stays and refuses all', () => {
    const left = removeTrust(policy, K1.keyid, '*');
    expect(left.rules.map(({ name, keys }) => [name, names(keys)])).toEqual([
      ['bob/*', ['two']],
      ['eve/*', []],
    ]);
    expect(requiresSignature(left, 's3://b', 'eve/x')).toBe(true);
  });

  it('takes a rule away with its requirement', () => {
    const left = removeTrust(policy, 'eve/*', '*');
    expect(left.rules.map(({ name }) => name)).toEqual(['ada/*', 'bob/*']);
    expect(requiresSignature(left, 's3://b', 'eve/x')).toBe(false);
  });

  it('says so where there is nothing to remove', () => {
    for (const [subject, registry] of [
      [K3.keyid, '*'],
      ['ada/*', 's3://b'],
      ['*', '*'],
    ] as const) {
      expect(() => removeTrust(policy, subject, registry)).toThrow(
        expect.objectContaining({ code: 'not-found' }),
      );
    }
  });
});

describe('parseTrustScope', () => {
  it.each([
    ['s3://bucket/', 's3://bucket'],
    ['S3://bucket', 's3://bucket'],
    ['some/folder/', resolve('some/folder')],
    [pathToFileURL('/a b/c').href, '/a b/c'],
    ['*', '*'],
  ])('spells the registry %s as the registry itself does', (address, expected) => {
    expect(parseTrustScope(address, '*').registry).toBe(expected);
  });

  it.each(['', 'ada', 'ada/', '/x', '*/x', 'ada/x/*', 'ada/x*', 'a b/c', '**'])(
    'refuses %j as names',
    (name) => {
      expect(() => parseTrustScope('*', name)).toThrow(`"${name}" names no packages`);
    },
  );

  it.each(['s3://', 's3://bucket/prefix', 'https://x', 'file://host/path'])(
    'refuses %j as a registry',
    (address) => {
      expect(() => parseTrustScope(address, '*')).toThrow(
        expect.objectContaining({ code: 'usage' }),
      );
    },
  );
});
