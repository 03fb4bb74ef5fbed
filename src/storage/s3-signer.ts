/** Signatures of S3 requests: the SDK's own signer and credentials, with hashes of node:crypto. */
import { messageOf, PkgError } from '../runtime/errors.ts';
import { SigningHash } from '../store/signing-hash.ts';

/** What the SDK's credential chain resolves to; it renews what expires. */
export type CredentialProvider = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}>;

/** A request as it is signed; header names in lower case, with `host` and the hash of the body. */
export interface SignableRequest {
  readonly method: string;
  readonly base: URL;
  /** Encoded. */
  readonly path: string;
  /** Not encoded. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the headers of a request with its signature for a region at a time. */
export type Sign = (
  request: SignableRequest,
  region: string,
  signingDate: Date,
) => Promise<Readonly<Record<string, string>>>;

/**
 * The SDK's usual credentials, or undefined where there are none.
 * @throws PkgError `unreachable` where there are some that cannot be used.
 */
export async function findCredentials(): Promise<CredentialProvider | undefined> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const provider = defaultProvider({ timeout: 1000, maxRetries: 0 });
  try {
    await provider();
    return provider;
  } catch (error) {
    if (error instanceof Error && error.name === 'CredentialsProviderError') return undefined;
    throw new PkgError('unreachable', `the AWS credentials cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A signer; without credentials requests stay as they are. */
export async function createSigner(credentials: CredentialProvider | undefined): Promise<Sign> {
  if (credentials === undefined) return ({ headers }) => Promise.resolve(headers);
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({
    credentials,
    region: 'us-east-1',
    service: 's3',
    sha256: SigningHash,
    uriEscapePath: false,
  });
  return async ({ method, base, path, query, headers }, signingRegion, signingDate) => {
    const signed = await signer.sign(
      {
        method,
        protocol: base.protocol,
        hostname: base.hostname,
        path,
        query: { ...query },
        headers: { ...headers },
      },
      { signingRegion, signingDate },
    );
    return signed.headers;
  };
}
