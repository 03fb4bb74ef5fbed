/** Fresh buckets on a test server, made with the AWS SDK itself. */
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Server } from './servers.ts';

let made = 0;

/** A client of the server's owner. */
export function ownerClient(server: S3Server): S3Client {
  return new S3Client({
    endpoint: server.url,
    forcePathStyle: true,
    region: server.env['AWS_REGION'] ?? '',
    credentials: {
      accessKeyId: server.env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: server.env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
}

/** Makes an empty bucket and returns its name. */
export async function makeBucket(
  client: S3Client,
  kind: 'unversioned' | 'versioned' = 'unversioned',
): Promise<string> {
  const Bucket = `bucket-${String(process.pid)}-${String(++made)}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  if (kind === 'versioned') {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  }
  return Bucket;
}

/** Lets everyone list and read a bucket. */
export async function makePublic(client: S3Client, bucket: string): Promise<void> {
  const grant = (Action: string, Resource: string) => ({
    Effect: 'Allow',
    Principal: '*',
    Action: [Action],
    Resource: [Resource],
  });
  const policy = {
    Version: '2012-10-17',
    Statement: [
      grant('s3:GetObject', `arn:aws:s3:::${bucket}/*`),
      grant('s3:ListBucket', `arn:aws:s3:::${bucket}`),
    ],
  };
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }));
}

/** Lets this process's AWS SDKs reach a server, and nothing of the user's own. */
export function useServer(server: S3Server): void {
  for (const name of Object.keys(process.env).filter((key) => key.startsWith('AWS_'))) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
    delete process.env[name];
  }
  Object.assign(process.env, server.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
}
