/** One S3 server for the suites of a file, with its owner's client. */
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { ownerClient } from '../support/s3-buckets.ts';
import { type S3Server, startS3Server } from '../support/servers.ts';

export interface OwnedServer extends S3Server {
  readonly owner: S3Client;
}

/** Starts a server before the tests of the suite and ends it after them. */
export function withServer(): () => OwnedServer {
  let running: OwnedServer | undefined;
  beforeAll(async () => {
    const server = await startS3Server();
    running = { ...server, owner: ownerClient(server) };
  });
  afterAll(async () => {
    running?.owner.destroy();
    await running?.stop();
  });
  return () => {
    if (running === undefined) throw new Error('the server is not running');
    return running;
  };
}
