/** `s3://bucket/key` as an HTTPS request, signed where credentials are found. */
import { systemErrorCode } from '../runtime/errors.ts';
import { SigningHash } from '../store/signing-hash.ts';

export interface S3Settings {
  /** Base URL of an S3 server other than AWS, addressed path-style. */
  readonly endpoint: string | undefined;
  readonly region: string;
}

export interface SignedRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/** The HTTP(S) address of an object: virtual-hosted at AWS, path-style elsewhere. */
export function s3HttpUrl(url: URL, settings: S3Settings): URL {
  const path = url.pathname.replace(/^\/+/, '');
  if (settings.endpoint === undefined) {
    const host = `${url.hostname}.s3.${settings.region}.amazonaws.com`;
    return new URL(`https://${host}/${path}`);
  }
  return new URL(`${settings.endpoint.replace(/\/+$/, '')}/${url.hostname}/${path}`);
}

/**
 * The GET request for an object: signed by AWS Signature Version 4 where the SDK's usual places hold
 * credentials, else plain, for buckets that anyone may read.
 */
export async function signS3Get(url: URL, settings: S3Settings, now: Date): Promise<SignedRequest> {
  const target = s3HttpUrl(url, settings);
  const credentials = await findCredentials();
  if (credentials === undefined) return { url: target, headers: {} };
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({
    credentials,
    region: settings.region,
    service: 's3',
    sha256: SigningHash,
    uriEscapePath: false,
  });
  const signed = await signer.sign(
    {
      method: 'GET',
      protocol: target.protocol,
      hostname: target.hostname,
      ...(target.port === '' ? {} : { port: Number(target.port) }),
      path: target.pathname,
      query: {},
      headers: { host: target.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    },
    { signingDate: now },
  );
  return { url: target, headers: signed.headers };
}

async function findCredentials(): Promise<Credentials | undefined> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  try {
    return await defaultProvider({ timeout: 1000, maxRetries: 0 })();
  } catch (error) {
    const name = error instanceof Error ? error.name : systemErrorCode(error);
    if (name === 'CredentialsProviderError' || name === 'TimeoutError') return undefined;
    throw error;
  }
}
