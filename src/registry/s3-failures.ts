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
  const reason = systemErrorCode(error) ?? (messageOf(error) || name);
  return new PkgError('unreachable', `registry ${where} cannot be reached: ${reason}`, {
    hint: 'Check the endpoint (--endpoint or AWS_ENDPOINT_URL) and the network.',
    cause: error,
  });
}
