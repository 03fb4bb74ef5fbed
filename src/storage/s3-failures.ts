/** What an S3 server's refusals and a broken network mean, as errors of this tool. */
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';

const CREDENTIALS_HINT =
  'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and what they may do.';

const DENIED = ['access is denied', CREDENTIALS_HINT] as const;

/** Error codes of S3 with a sentence and what to do next. */
const KNOWN: Readonly<Record<string, readonly [string, string]>> = {
  NoSuchBucket: ['there is no such bucket', 'Check the name, or make the bucket first.'],
  InvalidAccessKeyId: ['the access key is unknown', CREDENTIALS_HINT],
  SignatureDoesNotMatch: ['the secret key is wrong', CREDENTIALS_HINT],
  AccessDenied: DENIED,
  Forbidden: DENIED,
  ExpiredToken: ['the session token has expired', CREDENTIALS_HINT],
  RequestTimeTooSkewed: ['this clock is wrong', 'Set the clock, then try again.'],
};

/** Codes for a body that is not what its checksum says. */
const CHECKSUM_CODES: readonly string[] = ['BadDigest', 'XAmzContentChecksumMismatch'];

/** A request that was refused, in the shape of the SDK's own exceptions. */
export class S3Refusal extends Error {
  readonly status: number;
  readonly $metadata: { readonly httpStatusCode: number };
  /** Where the bucket is, if the server says so. */
  readonly region: string | undefined;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;
  /** The server's time of day. */
  readonly serverMs: number | undefined;
  /** Whether an earlier try of the same request failed, which the server may have carried out. */
  isRepeat = false;

  constructor(
    status: number,
    code: string | undefined,
    message: string | undefined,
    headers: {
      readonly region: string | undefined;
      readonly retryAfter: string | undefined;
      readonly date: string | undefined;
    },
  ) {
    super(message ?? `HTTP ${String(status)}`);
    this.name = code ?? NAMES[status] ?? 'Unknown';
    this.status = status;
    this.$metadata = { httpStatusCode: status };
    this.region = headers.region;
    const seconds = headers.retryAfter?.trim() ?? '';
    this.retryAfterMs = /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
    const dateMs = Date.parse(headers.date ?? '');
    this.serverMs = Number.isNaN(dateMs) ? undefined : dateMs;
  }
}

/** How a refusal without a body, as HEAD has it, is called. */
const NAMES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  412: 'PreconditionFailed',
};

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Codes that come with other statuses and still are worth another try. */
const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  ...['RequestTimeout', 'SlowDown', 'InternalError', 'ServiceUnavailable', 'Throttling'],
  ...['ThrottlingException', 'RequestLimitExceeded', 'RequestThrottled'],
]);

/** Errors of sockets after which the same request may succeed. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'ERR_STREAM_PREMATURE_CLOSE'],
  ...['HPE_INVALID_EOF_STATE', 'HPE_INVALID_CHUNK_SIZE', 'HPE_INVALID_CONSTANT'],
]);

/** Whether the same request may succeed when it is sent again. */
export function isTransient(error: unknown): boolean {
  const { name, status } = describeFailure(error);
  if (status !== undefined) return TRANSIENT_STATUSES.has(status) || TRANSIENT_NAMES.has(name);
  return TRANSIENT_CODES.has(systemErrorCode(error) ?? '');
}

/** Whether the server wants fewer requests. */
export function isThrottling(error: unknown): boolean {
  const { status } = describeFailure(error);
  return status === 429 || status === 503;
}

/** Whether a server refuses a kind of request as such, whoever asks for whatever. */
export function isUnsupported(error: unknown): boolean {
  const { name, status } = describeFailure(error);
  return status === 501 || status === 405 || name === 'NotImplemented';
}

export interface S3Failure {
  readonly name: string;
  /** The HTTP status, or undefined where there was no answer. */
  readonly status: number | undefined;
}

export function describeFailure(error: unknown): S3Failure {
  const name = error instanceof Error ? error.name : '';
  if (!(error instanceof Error) || !('$metadata' in error)) return { name, status: undefined };
  const metadata = error.$metadata;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name, status: typeof status === 'number' ? status : undefined };
}

/** Whether a failure says that there is no such object. */
export function isAbsence(error: unknown): boolean {
  const { name, status } = describeFailure(error);
  return (
    name === 'NoSuchKey' || name === 'NoSuchVersion' || (name === 'NotFound' && status === 404)
  );
}

/** Whether a failure says that a conditional write's condition did not hold. */
export function isConditionFailure(error: unknown): boolean {
  const { name, status } = describeFailure(error);
  return status === 412 || status === 409 || name === 'PreconditionFailed' || name === 'NoSuchKey';
}

/** Whether a failure says that the bytes are not what their checksum says. */
export function isDamage(error: unknown): boolean {
  if (error instanceof PkgError) return error.code === 'integrity';
  return CHECKSUM_CODES.includes(describeFailure(error).name);
}

/** The error for a failure; `where` names the registry and its endpoint. */
export function explainS3Failure(error: unknown, where: string): unknown {
  if (error instanceof PkgError) return error;
  const { name, status } = describeFailure(error);
  const [why, hint] = KNOWN[name] ?? (status === 403 ? DENIED : []);
  if (why !== undefined && hint !== undefined) {
    return new PkgError('unreachable', `registry ${where}: ${why}`, { hint, cause: error });
  }
  if (CHECKSUM_CODES.includes(name)) {
    return new PkgError('integrity', `registry ${where}: the bytes changed on their way`, {
      hint: 'Push again; nothing was stored.',
      cause: error,
    });
  }
  if (status !== undefined) {
    const said = `HTTP ${String(status)} ${name}: ${messageOf(error)}`;
    return new PkgError('unreachable', `registry ${where} answered ${said}`, { cause: error });
  }
  const code = systemErrorCode(error);
  // Time limits of our own are said in words.
  const isOwn = code === 'ETIMEDOUT' && !messageOf(error).includes(code);
  const reason = (isOwn ? undefined : code) ?? (messageOf(error) || name);
  return new PkgError('unreachable', `registry ${where} cannot be reached: ${reason}`, {
    hint: 'Check the endpoint (--endpoint or AWS_ENDPOINT_URL) and the network.',
    cause: error,
  });
}
