/** Real servers for tests, on free ports, ended with the tests by their own process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shared } from './shared.ts';

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface S3Server extends RunningServer {
  /** Environment by which the AWS SDKs reach the server as its owner. */
  readonly env: Readonly<Record<string, string>>;
}

/** A TCP port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** Serves a data set like oid-mini over HTTP; `arguments_` are the server's own, such as faults. */
export async function startImageServer(
  options: { data?: string; port?: number; args?: readonly string[] } = {},
): Promise<RunningServer & { readonly port: number; stats(): Promise<ImageServerStats> }> {
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${String(port)}`;
  const child = spawn(
    'python3',
    [
      shared('data/serve_oid.py'),
      ...['--port', String(port), '--data', options.data ?? shared('data/oid-mini')],
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await waitUntilAnswering(`${url}/healthz`, child);
  return {
    url,
    port,
    stats: async () => (await (await fetch(`${url}/stats?paths=1`)).json()) as ImageServerStats,
    stop: () => stop(child),
  };
}

export interface ImageServerStats {
  readonly requests: number;
  readonly image_requests: number;
  readonly image_bodies_complete: number;
  readonly early_retries: number;
  readonly rate_limited: number;
  readonly bytes_sent: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly paths: Readonly<Record<string, number>>;
}

/** Starts the S3 server that the test run chose (PKG_S3_SERVER, PKG_S3_BINARY). */
export async function startS3Server(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'pkg-s3-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const binary = process.env['PKG_S3_BINARY'] ?? '';
  const child =
    process.env['PKG_S3_SERVER'] === 'minio'
      ? startMinio(binary, folder, port)
      : await startVersitygw(binary, folder, port);
  await waitUntilAnswering(url, child);
  return {
    url,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'testkey',
      AWS_SECRET_ACCESS_KEY: 'testsecret',
      AWS_REGION: 'us-east-1',
    },
    async stop() {
      await stop(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startVersitygw(binary: string, folder: string, port: number): Promise<ChildProcess> {
  const [data, versions, iam] = ['data', 'versions', 'iam'].map((name) => join(folder, name));
  for (const path of [data, versions, iam]) await mkdir(path ?? '', { recursive: true });
  const args = ['--quiet', '--port', `127.0.0.1:${String(port)}`, '--iam-dir', iam ?? ''];
  return spawn(binary, [...args, 'posix', '--versioning-dir', versions ?? '', data ?? ''], {
    env: { ...process.env, ROOT_ACCESS_KEY: 'testkey', ROOT_SECRET_KEY: 'testsecret' },
    stdio: 'ignore',
  });
}

function startMinio(binary: string, folder: string, port: number): ChildProcess {
  const address = `127.0.0.1:${String(port)}`;
  return spawn(binary, ['server', '--quiet', '--address', address, folder], {
    env: {
      ...process.env,
      MINIO_ROOT_USER: 'testkey',
      MINIO_ROOT_PASSWORD: 'testsecret',
      MINIO_UPDATE: 'off',
      MINIO_BROWSER: 'off',
    },
    stdio: 'ignore',
  });
}

async function waitUntilAnswering(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error(`the server for ${url} ended at once`);
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await new Promise((later) => setTimeout(later, 100));
    }
  }
  throw new Error(`no answer from ${url}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
}
