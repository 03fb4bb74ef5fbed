// The S3 server of the registry benchmark, fresh buckets on it, and what they hold.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';

const ACCESS_KEY = 'testkey';
const SECRET_KEY = 'testsecret';
const REGION = 'us-east-1';
const PROXY = join(import.meta.dirname, 'counting-proxy.mjs');

/**
 * Starts versitygw or minio, its data in `folder`: `{ url, makeBucket(name), measureBucket(name),
 * stop() }`, of which `measureBucket` gives `{ objects, bytes }` and `stop` removes the folder.
 */
export async function startS3Server({ name, binary }, folder) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = name === 'minio' ? minio(binary, folder, port) : versitygw(binary, folder, port);
  await untilAnswering(url, child);
  const client = new S3Client({
    endpoint: url,
    forcePathStyle: true,
    region: REGION,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  });
  return {
    url,
    makeBucket: (Bucket) => client.send(new CreateBucketCommand({ Bucket })),
    measureBucket: (bucket) => measureBucket(client, bucket),
    async stop() {
      client.destroy();
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A proxy before a server: `{ url, counts(), stop() }`; counts are since the last time. */
export async function startCountingProxy(target) {
  const child = fork(PROXY, [target]);
  const [url] = await once(child, 'message');
  return {
    url,
    async counts() {
      child.send('counts');
      const [counts] = await once(child, 'message');
      return counts;
    },
    stop: () => child.disconnect(),
  };
}

/** Environment by which AWS' SDKs reach the server at `url`, for a home without files of theirs. */
export function s3Environment(url) {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

async function measureBucket(client, Bucket) {
  const sizes = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
    sizes.push(...Contents.map(({ Size }) => Size));
  }
  return { objects: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function versitygw(binary, folder, port) {
  const [data, iam] = ['data', 'iam'].map((name) => join(folder, name));
  for (const path of [data, iam]) mkdirSync(path, { recursive: true });
  const args = [
    '--quiet',
    '--keep-alive',
    '--port',
    `127.0.0.1:${port}`,
    '--iam-dir',
    iam,
    'posix',
    data,
  ];
  const env = { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY };
  return spawn(binary, args, { env, stdio: 'ignore' });
}

function minio(binary, folder, port) {
  const args = ['server', '--quiet', '--address', `127.0.0.1:${port}`, folder];
  const own = { MINIO_ROOT_USER: ACCESS_KEY, MINIO_ROOT_PASSWORD: SECRET_KEY };
  const env = { ...process.env, ...own, MINIO_UPDATE: 'off', MINIO_BROWSER: 'off' };
  return spawn(binary, args, { env, stdio: 'ignore' });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function untilAnswering(url, child) {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error(`the S3 server for ${url} ended at once`);
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await sleep(100);
    }
  }
  throw new Error(`no answer from ${url}`);
}
