/** What is worth trying again, and how long to wait before. */
import { describe, expect, it } from 'vitest';
import {
  backoffDelayMs,
  isConnectionError,
  isTransientError,
  isTransientStatus,
  retryAfterMs,
} from '../../src/http/retry.ts';

describe('isTransientStatus', () => {
  it('holds for the statuses that another try can change, and for no other', () => {
    const all = Array.from({ length: 500 }, (_, index) => 100 + index);
    expect(all.filter(isTransientStatus)).toEqual([408, 425, 429, 500, 502, 503, 504]);
  });
});

describe('isTransientError', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });

  it('holds for broken connections, also where they are the cause of another error', () => {
    expect(isTransientError(coded('ECONNRESET'))).toBe(true);
    expect(isTransientError(coded('UND_ERR_BODY_TIMEOUT'))).toBe(true);
    const wrapped = new Error('fetch failed', { cause: coded('UND_ERR_SOCKET') });
    expect(isTransientError(wrapped)).toBe(true);
  });

  it('does not hold for other errors or other values', () => {
    expect(isTransientError(coded('ERR_INVALID_ARG_TYPE'))).toBe(false);
    expect(isTransientError(new Error('just so'))).toBe(false);
    expect(isTransientError('ECONNRESET')).toBe(false);
    expect(isTransientError(undefined)).toBe(false);
  });

  it('tells hosts that were not reached from those that hung up', () => {
    expect(isConnectionError(coded('ECONNREFUSED'))).toBe(true);
    expect(isConnectionError(coded('ECONNRESET'))).toBe(false);
  });
});

describe('backoffDelayMs', () => {
  it('doubles from half a second to at most 30 seconds', () => {
    const most = (attempt: number) => backoffDelayMs(attempt, () => 1);
    expect([1, 2, 3, 4].map(most)).toEqual([500, 1000, 2000, 4000]);
    expect([7, 8, 50].map(most)).toEqual([30_000, 30_000, 30_000]);
  });

  it('takes off up to half by chance', () => {
    expect(backoffDelayMs(3, () => 0)).toBe(1000);
    expect(backoffDelayMs(3, () => 0.5)).toBe(1500);
  });
});

describe('retryAfterMs', () => {
  const now = Date.UTC(2024, 4, 1, 12, 0, 0, 250);

  it('reads seconds', () => {
    expect(retryAfterMs('7', now)).toBe(7000);
    expect(retryAfterMs(' 0 ', now)).toBe(0);
  });

  it('reads a date and waits to the end of its second', () => {
    expect(retryAfterMs('Wed, 01 May 2024 12:00:03 GMT', now)).toBe(3750);
    expect(retryAfterMs('Wed, 01 May 2024 12:00:00 GMT', now)).toBe(750);
    expect(retryAfterMs('Wed, 01 May 2024 11:00:00 GMT', now)).toBe(0);
  });

  it('knows nothing from a header that is absent or makes no sense', () => {
    expect(retryAfterMs(undefined, now)).toBeUndefined();
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs('', now)).toBeUndefined();
  });
});
