/** The errors a command may end with: a closed set of codes, each with its exit code. */

/** Exit code of each way a command can fail; the table is part of the command line's contract. */
const EXIT_CODES = {
  usage: 2,
  'sources-gone': 3,
  manifest: 10,
  lockfile: 11,
  'not-found': 12,
  integrity: 13,
  'not-reproduced': 14,
  unreachable: 15,
  storage: 15,
  conflict: 16,
  interrupted: 130,
  terminated: 143,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof EXIT_CODES;

export interface ErrorDetails {
  /** What the reader can do next, one sentence. */
  readonly hint?: string;
  /** The manifest key at fault, as `data.query.classes.0`; whoever holds the text adds the place. */
  readonly key?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A failure that a user can meet. The message says what happened and which file, key or URL it
 * happened to, in one sentence; `hint` says what to do next. Secrets in URLs are cut from both.
 */
export class PkgError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly key: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(redactSecrets(message), details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'PkgError';
    this.code = code;
    this.hint = details.hint === undefined ? undefined : redactSecrets(details.hint);
    this.key = details.key;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/**
 * Replaces user:password in URLs, and the values of query parameters that carry signatures, tokens
 * or keys, by `***`.
 */
export function redactSecrets(text: string): string {
  return text
    .replace(/:\/\/[^/?#\s]*@/g, '://***@')
    .replace(/([?&])([^=?&\s]*)=[^&\s]*/g, (whole, before: string, name: string) =>
      SECRET_PARAMETER.test(name) ? `${before}${name}=***` : whole,
    );
}

const SECRET_PARAMETER = /^sig$|signature|token|secret|password|credential|key/i;

/** Asserts what only a bug can break; throws a plain Error. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** The system's error code (`ENOENT`, `ECONNRESET`, ...) of a thrown value, if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a failure says that a file was removed while it was read. */
export function isRemoval(error: unknown): boolean {
  return systemErrorCode(error instanceof PkgError ? error.cause : error) === 'ENOENT';
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Turns an error of the file system into a `storage` error that names the path; other values are
 * returned as they are.
 */
export function storageError(error: unknown, what: string): unknown {
  const explanations: Record<string, readonly [string, string]> = {
    ENOSPC: ['the disk is full', 'Free some space, then run the same command again.'],
    EDQUOT: ['the disk quota is used up', 'Free some space, then run the same command again.'],
    EROFS: ['the file system is read-only', 'Name a writable folder.'],
    EACCES: ['permission denied', 'Name a folder you may write to, or change its permissions.'],
    EPERM: [
      'operation not permitted',
      'Name a folder you may write to, or change its permissions.',
    ],
    ENOTDIR: ['a part of the path is not a folder', 'Name another folder.'],
    ENAMETOOLONG: ['a name is too long for this file system', 'Name a folder with a shorter path.'],
    EMFILE: ['too many open files', 'Raise the limit (ulimit -n) or lower --concurrency.'],
    EIO: ['the disk reported an input/output error', 'Check the disk.'],
  };
  const explanation = explanations[systemErrorCode(error) ?? ''];
  if (explanation === undefined) return error;
  const [why, hint] = explanation;
  return new PkgError('storage', `${what}: ${why}`, { hint, cause: error });
}
