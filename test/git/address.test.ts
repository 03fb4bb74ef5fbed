/** Addresses of code and credentials for them: what is taken for what, and what is refused. */
import { describe, expect, it } from 'vitest';
import { parseCodeAddress } from '../../src/git/address.ts';
import { authorizationFor, gitCredentials } from '../../src/git/credentials.ts';
import { PkgError } from '../../src/runtime/errors.ts';

function refusal(repository: string): PkgError {
  try {
    parseCodeAddress(repository, '/data');
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('an address of code', () => {
  it.each([
    ['.', { kind: 'local', path: '/data', isOwn: true }],
    ['..', { kind: 'local', path: '/', isOwn: false }],
    ['./code', { kind: 'local', path: '/data/code', isOwn: false }],
    ['code.git', { kind: 'local', path: '/data/code.git', isOwn: false }],
    ['/abs/code', { kind: 'local', path: '/abs/code', isOwn: false }],
    ['/abs/a:b', { kind: 'local', path: '/abs/a:b', isOwn: false }],
    ['file:///abs/with%20space', { kind: 'local', path: '/abs/with space', isOwn: false }],
  ])('%s is a folder here', (repository, expected) => {
    expect(parseCodeAddress(repository, '/data')).toEqual(expected);
  });

  it.each(['https://host/owner/name.git', 'http://127.0.0.1:8080/name', 'HTTPS://host/x'])(
    '%s is a repository on a server',
    (repository) => {
      expect(parseCodeAddress(repository, '/data')).toEqual({
        kind: 'remote',
        url: new URL(repository),
      });
    },
  );

  it.each([
    ['git@github.com:owner/name.git', 'https://github.com/owner/name.git'],
    ['host:name.git', 'https://host/name.git'],
    ['ssh://git@github.com/owner/name', 'https://github.com/owner/name'],
    ['git://host/name.git', 'https://host/name.git'],
    ['s3://bucket/name', 'https://bucket/name'],
  ])('%s is refused, and %s named instead', (repository, instead) => {
    expect(refusal(repository)).toMatchObject({ code: 'usage', key: 'code.repository' });
    expect(refusal(repository).hint).toContain(instead);
  });

  it.each(['https://ada:secret@host/name', 'https://secret@host/name'])(
    '%s is refused for its credentials, which no message shows',
    (repository) => {
      const { message, hint } = refusal(repository);
      expect(message).toMatch(/holds credentials/);
      expect(`${message} ${hint ?? ''}`).not.toMatch(/secret/);
    },
  );

  it.each(['https://host/name?ref=x', 'https://host/name#main', 'https://', 'file://server/x', ''])(
    '"%s" is refused',
    (repository) => {
      expect(refusal(repository).code).toBe('usage');
    },
  );
});

describe('credentials', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const github = new URL('https://github.com/owner/name.git');

  it('come from the environment, a token before a password', () => {
    expect(gitCredentials({})).toEqual({});
    expect(gitCredentials({ PKG_GIT_HOST: '', PKG_GIT_TOKEN: '' })).toEqual({});
    expect(
      gitCredentials({ PKG_GIT_HOST: 'GitHub.com', PKG_GIT_TOKEN: 't', PKG_GIT_PASSWORD: 'p' }),
    ).toEqual({ host: 'github.com', password: 't' });
    expect(gitCredentials({ PKG_GIT_USERNAME: 'ada', PKG_GIT_PASSWORD: 'p' })).toEqual({
      username: 'ada',
      password: 'p',
    });
  });

  it('are sent to their host over https, or to this machine', () => {
    const token = { host: 'github.com', password: 't' };
    expect(authorizationFor(token, github)).toBe(basic('x-access-token:t'));
    expect(authorizationFor({ ...token, username: 'ada' }, github)).toBe(basic('ada:t'));
    const here = { host: 'localhost:3000', password: 't' };
    expect(authorizationFor(here, new URL('http://localhost:3000/x'))).toBe(
      basic('x-access-token:t'),
    );
  });

  it.each([
    ['http://github.com/owner/name'],
    ['https://github.com:8443/owner/name'],
    ['https://github.com.evil.example/owner/name'],
    ['https://evil.example/github.com'],
  ])('are not sent to %s', (url) => {
    expect(authorizationFor({ host: 'github.com', password: 't' }, new URL(url))).toBeUndefined();
    expect(authorizationFor({ password: 't' }, new URL(url))).toBeUndefined();
  });
});
