/** What is worth trying again, and when. */
import { systemErrorCode } from '../runtime/errors.ts';

/** HTTP statuses that another try can change. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Errors of sockets and of undici after which the same request may succeed. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'HPE_INVALID_CHUNK_SIZE'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  ...['UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ERR_STREAM_PREMATURE_CLOSE'],
  'HPE_INVALID_EOF_STATE',
]);

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

export function isTransientStatus(status: number): boolean {
  return TRANSIENT_STATUSES.has(status);
}

export function isTransientError(error: unknown): boolean {
  const code = systemErrorCode(error);
  if (code !== undefined && TRANSIENT_CODES.has(code)) return true;
  return error instanceof Error && error.cause !== undefined && isTransientError(error.cause);
}

/** Whether a request failed before the host said anything. */
export function isConnectionError(error: unknown): boolean {
  const codes = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];
  return codes.includes(systemErrorCode(error) ?? '');
}

/** The delay before try number `attempt` (1 is the first repeat): doubling, with full jitter. */
export function backoffDelayMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return ceiling * (0.5 + random() / 2);
}

/**
 * The delay a `Retry-After` header asks for (RFC 9110, 10.2.3): seconds, or a date. A date names a
 * whole second, so the wait lasts to that second's end.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header.trim()) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date + 1000 - nowMs);
}
