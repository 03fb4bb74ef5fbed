/** The AWS SDK's client for a bucket, loaded when it is first needed: it takes 0.1 to 0.3 s. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Location } from './s3-address.ts';
import type { CredentialProvider } from './s3-signer.ts';

export type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';

export type S3Module = typeof import('@aws-sdk/client-s3');

export interface S3Control {
  readonly sdk: S3Module;
  readonly client: S3Client;
}

const MAX_ATTEMPTS = 5;
/** Servers put a large object together, or copy one, before they answer. */
const REQUEST_TIMEOUT_MS = 300_000;
const CONNECTION_TIMEOUT_MS = 10_000;

const ANONYMOUS = { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' };

/**
 * Makes a client that signs with the credentials, or not at all without any. `noteRequest` is called
 * before each request, repeats included.
 */
export async function openS3Control(
  location: S3Location,
  credentials: CredentialProvider | undefined,
  noteRequest: () => void,
): Promise<S3Control> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    region: location.region,
    maxAttempts: MAX_ATTEMPTS,
    followRegionRedirects: location.endpoint === undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      requestTimeout: location.silenceMs ?? REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
    },
    ...(location.endpoint === undefined
      ? {}
      : { endpoint: location.endpoint, forcePathStyle: true }),
    ...(credentials === undefined
      ? { credentials: ANONYMOUS, signer: { sign: (request) => Promise.resolve(request) } }
      : { credentials }),
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      noteRequest();
      return await next(args);
    },
    { step: 'deserialize', name: 'countRequests' },
  );
  return { sdk, client };
}
