/** An S3 server for a test file, with fresh buckets on it. */
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { openS3Storage, type S3Storage } from '../../src/storage/s3.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, ownerClient, useServer } from '../support/s3-buckets.ts';
import { type S3Server, startS3Server } from '../support/servers.ts';

export const S3_KIND = process.env['PKG_S3_SERVER'] ?? 'versitygw';
export const S3_BINARY = process.env['PKG_S3_BINARY'];

export interface TestServer {
  readonly url: string;
  readonly owner: S3Client;
  makeBucket(kind?: 'unversioned' | 'versioned'): Promise<string>;
  open(bucket: string, endpoint?: string, runtime?: Runtime): Promise<S3Storage>;
}

/** Starts a server before the tests of the file, and stops it after them. */
export function withS3Server(): () => TestServer {
  let running: { readonly server: S3Server; readonly owner: S3Client } | undefined;
  beforeAll(async () => {
    const server = await startS3Server();
    useServer(server);
    running = { server, owner: ownerClient(server) };
  });
  afterAll(async () => {
    running?.owner.destroy();
    await running?.server.stop();
  });
  return () => {
    if (running === undefined) throw new Error('the server is not running');
    const { server, owner } = running;
    return {
      url: server.url,
      owner,
      makeBucket: (kind) => makeBucket(owner, kind),
      open: async (bucket, endpoint = server.url, runtime = testRuntime()) =>
        await openS3Storage(runtime, { bucket, endpoint, region: 'us-east-1' }),
    };
  };
}
