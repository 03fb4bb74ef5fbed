/** PkgError: its exit codes, and the secrets it never shows. */
import { describe, expect, it } from 'vitest';
import {
  type ErrorCode,
  messageOf,
  PkgError,
  redactSecrets,
  storageError,
  systemErrorCode,
} from '../../src/runtime/errors.ts';

describe('PkgError', () => {
  const exitCodes: readonly (readonly [ErrorCode, number])[] = [
    ['usage', 2],
    ['sources-gone', 3],
    ['manifest', 10],
    ['lockfile', 11],
    ['not-found', 12],
    ['integrity', 13],
    ['not-reproduced', 14],
    ['unreachable', 15],
    ['storage', 15],
    ['conflict', 16],
    ['interrupted', 130],
    ['terminated', 143],
  ];

  it.each(exitCodes)('ends a command that failed by "%s" with exit code %i', (code, exitCode) => {
    const error = new PkgError(code, 'something broke');
    expect(error).toBeInstanceOf(Error);
    expect([error.code, error.exitCode]).toEqual([code, exitCode]);
  });

  it('keeps message, hint, key and cause', () => {
    const cause = new Error('the reason');
    const error = new PkgError('manifest', 'bad', { hint: 'do this', key: 'data.query', cause });
    expect(error).toMatchObject({ name: 'PkgError', message: 'bad', hint: 'do this' });
    expect([error.key, error.cause]).toEqual(['data.query', cause]);
    expect('cause' in new PkgError('manifest', 'bad')).toBe(false);
  });

  it('cuts secrets from its message and its hint', () => {
    const url = 'https://me:hunter2@host/x?X-Amz-Signature=abcdef';
    const error = new PkgError('unreachable', `${url} broke`, { hint: `try ${url}` });
    expect(error.message).toBe('https://***@host/x?X-Amz-Signature=*** broke');
    expect(error.hint).toBe('try https://***@host/x?X-Amz-Signature=***');
  });
});

describe('redactSecrets', () => {
  it.each([
    ['https://user:password@host/path', 'https://***@host/path'],
    ['s3://key:secret@bucket/k and ftp://u@h', 's3://***@bucket/k and ftp://***@h'],
    ['https://u:p@ss@host/path', 'https://***@host/path'],
    ['https://h/x?X-Amz-Signature=0a1b&y=2', 'https://h/x?X-Amz-Signature=***&y=2'],
    ['https://h/x?y=2&X-Amz-Credential=AK%2F1', 'https://h/x?y=2&X-Amz-Credential=***'],
    ['https://h/?X-Amz-Security-Token=t', 'https://h/?X-Amz-Security-Token=***'],
    ['https://h/?token=t&access_token=u', 'https://h/?token=***&access_token=***'],
    ['https://h/?AWSAccessKeyId=A&Signature=S', 'https://h/?AWSAccessKeyId=***&Signature=***'],
    ['https://h/?PASSWORD=x&client_secret=y', 'https://h/?PASSWORD=***&client_secret=***'],
    ['https://h/container/x?sv=2022&sig=abc', 'https://h/container/x?sv=2022&sig=***'],
  ])('writes %s as %s', (text, redacted) => {
    expect(redactSecrets(text)).toBe(redacted);
  });

  it.each(['https://host/a@b', 'mail me@host', 'https://h/?page=2&size=3', 'no address at all'])(
    'leaves %s as it is',
    (text) => {
      expect(redactSecrets(text)).toBe(text);
    },
  );

  it('is done with a long word as soon as with many short ones', () => {
    const costMs = (text: string) => {
      const startMs = performance.now();
      redactSecrets(text);
      return performance.now() - startMs;
    };
    const words = 'word '.repeat(8_000);
    const ratio = costMs('a'.repeat(40_000)) / Math.max(5, costMs(words));
    expect(ratio).toBeLessThan(50);
  });
});

describe('the errors of others', () => {
  it('become storage errors with a hint where the disk or its rights are the reason', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    const explained = storageError(full, 'cannot write in /x');
    expect(explained).toBeInstanceOf(PkgError);
    expect(explained).toMatchObject({
      code: 'storage',
      message: 'cannot write in /x: the disk is full',
      cause: full,
    });
    const other = new Error('something else');
    expect(storageError(other, 'cannot write')).toBe(other);
  });

  it('are told by their system code and their message', () => {
    expect(systemErrorCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemErrorCode({ code: 5 })).toBeUndefined();
    expect(systemErrorCode(null)).toBeUndefined();
    expect([messageOf(new Error('x')), messageOf('y')]).toEqual(['x', 'y']);
  });
});
