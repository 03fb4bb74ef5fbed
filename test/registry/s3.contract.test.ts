/** A bucket on a real S3 server keeps the contract of a registry. */
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { openS3Storage } from '../../src/storage/s3.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, ownerClient, useServer } from '../support/s3-buckets.ts';
import { type S3Server, startS3Server } from '../support/servers.ts';
import { describeWith } from '../support/shared.ts';
import { registryContract } from './registry-contract.ts';

const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw' } = process.env;
const isThere = binary !== undefined && binary !== '';
let running: { readonly server: S3Server; readonly owner: S3Client } | undefined;

beforeAll(async () => {
  if (!isThere) return;
  const server = await startS3Server();
  useServer(server);
  running = { server, owner: ownerClient(server) };
});

afterAll(async () => {
  running?.owner.destroy();
  await running?.server.stop();
});

registryContract({
  name: `a bucket on ${kind}`,
  describe: describeWith(`the S3 server ${kind}`, binary),
  setup: async () => {
    if (running === undefined) throw new Error('the server is not running');
    const { server, owner } = running;
    const bucket = await makeBucket(owner);
    const location = { bucket, endpoint: server.url, region: 'us-east-1' };
    return async () => await openS3Storage(testRuntime(), location);
  },
});
