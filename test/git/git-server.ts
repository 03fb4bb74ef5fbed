/** A real git server for tests: git http-backend behind a small HTTP server that can misbehave. */
import { execFileSync, spawn } from 'node:child_process';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { basename, dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { GIT_ENVIRONMENT, git } from './git-repositories.ts';

export interface GitServer {
  /** Of the server, without a path. */
  readonly origin: string;
  /** Of the repository it serves. */
  readonly url: string;
  /** The bare repository behind it. */
  readonly folder: string;
  /** Requests so far, oldest first. */
  readonly requests: readonly GitServerRequest[];
}

export interface GitServerRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface GitServerOptions {
  /** Answers in place of git where it returns true. */
  readonly before?: (request: GitServerRequest, response: ServerResponse, count: number) => boolean;
  /** Changes what git answers, byte by byte; the length must stay. */
  readonly change?: (body: Buffer, request: GitServerRequest) => Buffer;
  /** Wants `Authorization: Basic` of these. */
  readonly login?: string;
}

const servers: Server[] = [];

afterAll(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

const backend = join(
  execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(),
  'git-http-backend',
);

/** Serves a bare clone of a repository, or answers by `before` alone where none is named. */
export async function serveGit(
  source: string | undefined,
  options: GitServerOptions = {},
): Promise<GitServer> {
  const folder = join(await temporaryFolder(), 'code.git');
  if (source !== undefined)
    await git(source, 'clone', '--quiet', '--bare', '--no-local', '.', folder);
  const requests: GitServerRequest[] = [];
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const answer = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await bytesOf(incoming);
    const request = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      authorization: incoming.headers.authorization,
      body: body.toString('latin1'),
    };
    requests.push(request);
    if (options.before?.(request, response, requests.length) === true) return;
    const login = `Basic ${Buffer.from(options.login ?? '').toString('base64')}`;
    if (options.login !== undefined && request.authorization !== login) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="code"' }).end();
      return;
    }
    await runBackend(folder, incoming, body, { response, request, options });
  };
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const origin = `http://127.0.0.1:${String(address.port)}`;
  return { origin, url: `${origin}/code.git`, folder, requests };
}

async function runBackend(
  folder: string,
  incoming: IncomingMessage,
  body: Buffer,
  to: {
    readonly response: ServerResponse;
    readonly request: GitServerRequest;
    readonly options: GitServerOptions;
  },
): Promise<void> {
  const url = new URL(to.request.url, 'http://host');
  if (!url.pathname.startsWith(`/${basename(folder)}/`)) {
    to.response.writeHead(404).end('no such repository');
    return;
  }
  const child = spawn(backend, [], {
    env: {
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: dirname(folder),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: to.request.method,
      CONTENT_TYPE: incoming.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      GIT_PROTOCOL: String(incoming.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(body);
  const output = await bytesOf(child.stdout);
  const end = output.indexOf('\r\n\r\n');
  const headers: OutgoingHttpHeaders = {};
  let status = 200;
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const [name = '', value = ''] = line.split(': ', 2);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name.toLowerCase()] = value;
  }
  const content = output.subarray(end + 4);
  to.response.writeHead(status, headers);
  to.response.end(to.options.change?.(content, to.request) ?? content);
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
