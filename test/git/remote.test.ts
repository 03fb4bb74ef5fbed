/** Code from git servers: shallow, whole, private, moved, slow, broken and hostile ones. */

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { deflateSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { GitCredentials } from '../../src/git/credentials.ts';
import { checkWorkTree, type GitContext, openPinnedCode, resolveCode } from '../../src/git/git.ts';
import { GitTransport } from '../../src/git/transport.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { testRuntime } from '../support/runtime.ts';
import {
  commitAll,
  commitVersions,
  git,
  gitContext,
  repositoryOf,
  SAMPLE,
  summaryOf,
  summaryOfSample,
  writeFiles,
} from './git-repositories.ts';
import { type GitServer, type GitServerRequest, serveGit } from './git-server.ts';

const STRICT = { folder: '/', dirty: 'refuse', ignoring: [] } as const;

async function impatientContext(credentials: GitCredentials = {}) {
  const runtime = testRuntime({ clock: fakeClock(), random: () => 0 });
  return await gitContext({ credentials, runtime });
}

async function pin(url: string, revision: string, context?: GitContext) {
  const used = context ?? (await impatientContext());
  const pinned = await resolveCode(used, { repository: url, revision }, STRICT);
  return { context: used, pinned };
}

async function failure(url: string, revision = 'HEAD', context?: GitContext): Promise<PkgError> {
  try {
    await pin(url, revision, context);
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('it was pinned');
}

/** Wants, shallow lines and the like of the requests for packs. */
function packRequests(server: GitServer): readonly string[] {
  return server.requests.filter(({ method }) => method === 'POST').map(({ body }) => body);
}

/** Refuses commits by an id that no branch or tag has, as servers of old did. */
function refuseUnlisted(listed: readonly string[]) {
  return ({ method, body }: GitServerRequest, response: ServerResponse): boolean => {
    const wants = [...body.matchAll(/want ([0-9a-f]{40})/g)].map(([, id]) => id ?? '');
    const refused = wants.find((id) => !listed.includes(id));
    if (method !== 'POST' || refused === undefined) return false;
    const message = `ERR upload-pack: not our ref ${refused}`;
    const line = `${(message.length + 4).toString(16).padStart(4, '0')}${message}`;
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end(line);
    return true;
  };
}

describe('a repository on a server', () => {
  it('gives the tar that it gives on this machine, by branch, tag, annotated tag, HEAD and id', async () => {
    const { folder, commit } = await repositoryOf();
    await git(folder, 'tag', 'light');
    await git(folder, 'tag', '-a', '-m', 'release', 'v1.0');
    const local = await gitContext();
    const { tar } = await resolveCode(local, { repository: folder, revision: 'main' }, STRICT);
    const server = await serveGit(folder);
    for (const revision of ['main', 'light', 'v1.0', 'HEAD', 'refs/heads/main', commit]) {
      const { pinned } = await pin(server.url, revision);
      expect(pinned).toEqual({ repository: server.url, revision, commit, tar });
    }
    const { context, pinned } = await pin(`${server.url}/`, 'main');
    expect(await summaryOf(context, pinned.tar)).toEqual(summaryOfSample(SAMPLE));
    expect(await checkWorkTree(context, pinned, '/', [])).toEqual([]);
  });

  it('is asked for one commit, and for nothing where its tar is kept', async () => {
    const { folder } = await repositoryOf();
    await commitVersions(folder, 'a.txt', ['one', 'two', 'three']);
    const server = await serveGit(folder);
    const { context, pinned } = await pin(server.url, 'main');
    expect(packRequests(server)).toHaveLength(1);
    expect(packRequests(server)[0]).toContain('deepen 1\n');
    expect(packRequests(server)[0]?.match(/want /g)).toHaveLength(1);
    const before = server.requests.length;
    expect((await pin(server.url, 'main', context)).pinned).toEqual(pinned);
    expect(server.requests).toHaveLength(before + 1);
    expect(await openPinnedCode(context, pinned, '/')).toEqual(pinned.tar);
    expect(server.requests).toHaveLength(before + 1);
  });

  it('gives an old commit by its id, or with its history where it refuses that', async () => {
    const { folder, commit: oldest } = await repositoryOf();
    await commitVersions(folder, 'a.txt', ['one', 'two', 'three']);
    const head = await git(folder, 'rev-parse', 'main');
    const willing = await serveGit(folder);
    const first = await pin(willing.url, oldest);
    expect(packRequests(willing)).toHaveLength(1);
    const refusing = await serveGit(folder, { before: refuseUnlisted([head]) });
    const second = await pin(refusing.url, oldest);
    expect(packRequests(refusing)).toHaveLength(2);
    expect(second.pinned.tar).toEqual(first.pinned.tar);
    const fresh = await impatientContext();
    expect(await openPinnedCode(fresh, second.pinned, '/')).toEqual(first.pinned.tar);
    expect(await failure(refusing.url, '0'.repeat(40))).toMatchObject({ code: 'not-found' });
    expect(await failure(willing.url, '1'.repeat(40))).toMatchObject({ code: 'not-found' });
  });

  it('gives a commit with its history where it knows nothing shallow', async () => {
    const { folder } = await repositoryOf();
    await commitVersions(folder, 'a.txt', ['one', 'two']);
    const server = await serveGit(folder, {
      change: (body, { method }) =>
        method === 'GET'
          ? Buffer.from(body.toString('latin1').replace(' shallow ', ' shadows '), 'latin1')
          : body,
    });
    const { pinned } = await pin(server.url, 'main');
    expect(packRequests(server)[0]).not.toContain('deepen');
    const local = await gitContext();
    const params = { repository: server.folder, revision: 'main' };
    expect((await resolveCode(local, params, STRICT)).tar).toEqual(pinned.tar);
  });

  it('whose HEAD names a branch without commits is read all the same', async () => {
    const { folder, commit } = await repositoryOf();
    const server = await serveGit(folder);
    await git(server.folder, 'symbolic-ref', 'HEAD', 'refs/heads/unborn');
    expect((await pin(server.url, 'main')).pinned.commit).toBe(commit);
    expect((await failure(server.url, 'HEAD')).code).toBe('not-found');
  });

  it('is refused by what it lacks', async () => {
    const { folder, commit } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const server = await serveGit(folder);
    expect(await failure(server.url, 'no-such')).toMatchObject({
      code: 'not-found',
      message: `${server.url} has no branch or tag no-such`,
    });
    expect((await failure(server.url, commit.slice(0, 8))).hint).toMatch(/write all 40 digits/);
    expect(await failure(`${server.origin}/other.git`)).toMatchObject({
      code: 'not-found',
      message: `there is no git repository at ${server.origin}/other.git`,
    });
    await git(folder, 'init', '--quiet', '--bare', '../empty');
    const empty = await serveGit(`${folder}/../empty`);
    expect((await failure(empty.url)).message).toMatch(/has no commits yet/);
  });

  it('gives submodules and links no more than a repository here does', async () => {
    const { folder, commit } = await repositoryOf({ 'a.txt': { content: 'a' } });
    await git(folder, 'update-index', '--add', '--cacheinfo', `160000,${commit},lib`);
    await git(folder, 'commit', '--quiet', '-m', 'a submodule');
    const server = await serveGit(folder);
    expect((await failure(server.url)).message).toMatch(/lib is a submodule \(at [0-9a-f]{40}\)/);
  });
});

describe('credentials', () => {
  const password = 'secret-of-ada';
  const hostOf = (server: GitServer) => new URL(server.url).host;

  it('are sent where a server wants them, to their host, and kept nowhere', async () => {
    const { folder, commit } = await repositoryOf();
    const server = await serveGit(folder, { login: `ada:${password}` });
    const context = await impatientContext({ host: hostOf(server), username: 'ada', password });
    const { pinned } = await pin(server.url, 'main', context);
    expect(pinned.commit).toBe(commit);
    expect(server.requests[0]?.authorization).toBeUndefined();
    const events = JSON.stringify([context.runtime, pinned]);
    expect(events).not.toContain(password);
  });

  it('are asked for in words, for which host', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const server = await serveGit(folder, { login: `ada:${password}` });
    const host = hostOf(server);
    const messages: (string | undefined)[] = [];
    for (const credentials of [
      {},
      { password },
      { host: 'elsewhere.example', password },
      { host, password: 'wrong-word' },
    ]) {
      const error = await failure(server.url, 'HEAD', await impatientContext(credentials));
      expect(error.code).toBe('unreachable');
      expect(error.message).toMatch(/refuses access/);
      expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/secret-of-ada|wrong-word/);
      messages.push(error.hint);
    }
    expect(messages[0]).toMatch(`set PKG_GIT_HOST=${host} with PKG_GIT_TOKEN`);
    expect(messages[1]).toMatch(`say no host: set PKG_GIT_HOST=${host}`);
    expect(messages[2]).toMatch('are for elsewhere.example');
    expect(messages[3]).toMatch('Check that the token is valid');
    const sent = server.requests.filter(({ authorization }) => authorization !== undefined);
    expect(sent).toHaveLength(1);
  });

  it('go to no other host after a redirect', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const thief = await serveGit(folder, { login: 'nobody:knows' });
    const server = await serveGit(undefined, {
      before: ({ url, authorization }, response) => {
        const moved = authorization !== undefined;
        if (moved) response.writeHead(302, { location: `${thief.origin}${url}` }).end();
        else response.writeHead(401).end();
        return true;
      },
    });
    for (const host of [hostOf(server), hostOf(thief)]) {
      const context = await impatientContext({ host, password });
      await failure(server.url, 'HEAD', context);
    }
    expect(thief.requests.length).toBeGreaterThan(0);
    expect(thief.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });
});

describe('a server that has moved', () => {
  const redirectTo = (target: () => string) => ({
    before: ({ url }: GitServerRequest, response: ServerResponse) => {
      response.writeHead(301, { location: `${target()}${url}` }).end();
      return true;
    },
  });

  it('is followed for the list, and the pack is asked of where that came from', async () => {
    const { folder, commit } = await repositoryOf();
    const target = await serveGit(folder);
    const server = await serveGit(
      undefined,
      redirectTo(() => target.origin),
    );
    expect((await pin(server.url, 'main')).pinned.commit).toBe(commit);
    expect(server.requests.map(({ method }) => method)).not.toContain('POST');
    expect(packRequests(target)).toHaveLength(1);
  });

  it.each([
    ['for ever', (origin: string) => origin, /redirects more than 5 times/],
    ['to a page', () => 'http://127.0.0.1/login?for=', /which is no git repository/],
    ['to a part of a page', () => 'http://127.0.0.1/login#', /which is no git repository/],
    ['with credentials', () => 'http://a:b@127.0.0.1', /with credentials in it/],
    ['to another protocol', () => 'file:///etc', /which is not secure/],
  ])('%s, is refused', async (_title, target, message) => {
    let origin = '';
    const server = await serveGit(
      undefined,
      redirectTo(() => target(origin)),
    );
    origin = server.origin;
    expect((await failure(server.url)).message).toMatch(message);
  });
});

describe('a server in trouble', () => {
  it('is asked again after errors that may pass', async () => {
    const { folder, commit } = await repositoryOf();
    const server = await serveGit(folder, {
      before: (_request, response, count) => {
        if (count === 1) response.writeHead(503, { 'retry-after': '7' }).end();
        else if (count === 2) response.socket?.resetAndDestroy();
        else if (count === 4) response.writeHead(502).end();
        else return false;
        return true;
      },
    });
    expect((await pin(server.url, 'main')).pinned.commit).toBe(commit);
  });

  it('is given up after some tries, in words', async () => {
    const server = await serveGit(undefined, {
      before: (_request, response) => {
        response.writeHead(500).end();
        return true;
      },
    });
    expect(await failure(server.url)).toMatchObject({
      code: 'unreachable',
      message: `the repository ${server.url} could not be fetched: it answers with HTTP 500`,
    });
    expect(server.requests).toHaveLength(4);
    expect((await failure('http://127.0.0.1:1/code.git')).code).toBe('unreachable');
  });

  it('that says nothing, before or within its answer, is given up after the time-out', async () => {
    const server = await serveGit(undefined, {
      before: (_request, response, count) => {
        if (count % 2 === 0) response.writeHead(200).write('0');
        return true;
      },
    });
    const limits = { timeoutMs: 100, retries: 1, maxListBytes: 1000, maxPackBytes: 1000 };
    const transport = new GitTransport(await impatientContext(), new URL(server.url), limits);
    const url = `${server.url}/info/refs?service=git-upload-pack`;
    const request = { url, method: 'GET', headers: {}, body: undefined } as const;
    await expect(transport.request(request)).rejects.toThrow(/it says nothing for 0\.1 s/);
    expect(server.requests).toHaveLength(2);
  });

  it('that sends without end is cut off', async () => {
    const server = await serveGit(undefined, {
      before: (_request, response) => {
        response.writeHead(200);
        const more = () => {
          while (response.writable && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
        return true;
      },
    });
    const limits = { timeoutMs: 5000, retries: 0, maxListBytes: 1 << 20, maxPackBytes: 1 << 20 };
    const transport = new GitTransport(await impatientContext(), new URL(server.url), limits);
    const url = `${server.url}/info/refs?service=git-upload-pack`;
    const request = { url, method: 'GET', headers: {}, body: undefined } as const;
    await expect(transport.request(request)).rejects.toThrow(/it sends more than 1 MiB/);
  });

  it('is left at once when the command is stopped', async () => {
    const stop = new AbortController();
    const server = await serveGit(undefined, {
      before: () => {
        setTimeout(() => stop.abort(new PkgError('interrupted', 'stopped')), 20);
        return true;
      },
    });
    const runtime = testRuntime({ signal: stop.signal });
    const context = await gitContext({ runtime });
    expect((await failure(server.url, 'HEAD', context)).code).toBe('interrupted');
  });
});

describe('a server that is none, or hostile', () => {
  const answers = (
    body: string | Buffer,
    type = 'application/x-git-upload-pack-advertisement',
  ) => ({
    before: (_request: GitServerRequest, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': type }).end(body);
      return true;
    },
  });

  it.each([
    ['a page', '<!doctype html><title>Welcome</title>', 'text/html'],
    ['nothing', '', undefined],
    ['half a line', '001e# service=git-upl', undefined],
    ['lengths that are none', 'zzzz# service=git-upload-pack', undefined],
  ])('answering %s, is refused', async (_title, body, type) => {
    const server = await serveGit(undefined, answers(body, type));
    expect((await failure(server.url)).code).toMatch(/unreachable|not-found/);
  });

  /** A server whose packs are of our making, for the commit `1111...`. */
  async function servePack(pack: Buffer): Promise<GitServer> {
    const id = '1'.repeat(40);
    const line = (text: string | Buffer) => {
      const bytes = Buffer.from(text);
      return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
    };
    const list = Buffer.concat([
      line('# service=git-upload-pack\n'),
      Buffer.from('0000'),
      line(`${id} refs/heads/main\0shallow side-band-64k ofs-delta\n`),
      Buffer.from('0000'),
    ]);
    const band: Buffer[] = [line(`shallow ${id}\n`), Buffer.from('0000'), line('NAK\n')];
    for (let start = 0; start < pack.length; start += 60_000) {
      band.push(line(Buffer.concat([Buffer.of(1), pack.subarray(start, start + 60_000)])));
    }
    band.push(Buffer.from('0000'));
    return await serveGit(undefined, {
      before: ({ method }, response) => {
        const kind = method === 'GET' ? 'advertisement' : 'result';
        response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${kind}` });
        response.end(method === 'GET' ? list : Buffer.concat(band));
        return true;
      },
    });
  }

  function packOf(...objects: readonly Buffer[]): Buffer {
    const head = Buffer.alloc(12);
    head.write('PACK', 'latin1');
    head.writeUInt32BE(2, 4);
    head.writeUInt32BE(objects.length, 8);
    const body = Buffer.concat([head, ...objects]);
    return Buffer.concat([body, createHash('sha1').update(body).digest()]);
  }

  /** An object as a pack has it, saying whatever size. */
  function packed(
    type: number,
    size: number,
    content: Uint8Array,
    before = Buffer.alloc(0),
  ): Buffer {
    const header: number[] = [];
    let byte = (type << 4) | (size & 15);
    for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
      header.push(byte | 0x80);
      byte = rest & 0x7f;
    }
    header.push(byte);
    return Buffer.concat([Buffer.from(header), before, deflateSync(content)]);
  }

  it.each([
    [
      'an object that unpacks to gigabytes',
      () => packOf(packed(3, 2 ** 34, Buffer.alloc(1000))),
      /too large/,
    ],
    [
      'an object that is larger than it says',
      () => packOf(packed(3, 10, Buffer.alloc(1 << 20))),
      /damaged/,
    ],
    [
      'a delta that makes gigabytes',
      () =>
        packOf(
          packed(3, 4, Buffer.from('base')),
          packed(7, 8, Buffer.from([4, 0x80, 0x80, 0x80, 0x80, 0x40, 0x90, 4]), Buffer.alloc(20)),
        ),
      /too large/,
    ],
    [
      'a pack that is cut off',
      () => packOf(packed(3, 4, Buffer.from('base'))).subarray(0, 20),
      /cut off|damaged/,
    ],
    [
      'a pack that says too many objects',
      () => {
        const pack = packOf(packed(3, 4, Buffer.from('base')));
        pack.writeUInt32BE(1000, 8);
        return pack;
      },
      /damaged|cut off/,
    ],
    [
      'objects that are not the commit',
      () => packOf(packed(3, 4, Buffer.from('base'))),
      /has no commit/,
    ],
  ])('sending %s, is refused', async (_title, pack, message) => {
    const server = await servePack(pack());
    expect((await failure(server.url, 'main')).message).toMatch(message);
  });

  it('naming branches out of the repository, harms nothing', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const server = await serveGit(folder, {
      change: (body, { method }) =>
        method === 'GET'
          ? Buffer.from(
              body.toString('latin1').replaceAll('refs/heads/main', 'refs/../../evil'),
              'latin1',
            )
          : body,
    });
    expect((await failure(server.url, 'main')).code).toBe('not-found');
    const { pinned } = await pin(server.url, 'HEAD');
    expect(pinned.commit).toBe(await git(folder, 'rev-parse', 'HEAD'));
  });
});

it('a branch that moves is pinned anew, and its old commit stays what it was', async () => {
  const { folder, commit } = await repositoryOf();
  const server = await serveGit(folder);
  const { context, pinned } = await pin(server.url, 'main');
  await writeFiles(folder, { 'new.txt': { content: 'new\n' } });
  const moved = await commitAll(folder);
  await git(folder, 'push', '--quiet', server.folder, 'main');
  const again = await pin(server.url, 'main', context);
  expect([pinned.commit, again.pinned.commit]).toEqual([commit, moved]);
  expect(await openPinnedCode(await impatientContext(), pinned, '/')).toEqual(pinned.tar);
});

it('two that fetch at once into one store get the same', async () => {
  const { folder } = await repositoryOf();
  const server = await serveGit(folder);
  const context = await impatientContext();
  const [one, two] = await Promise.all([
    pin(server.url, 'main', context),
    pin(server.url, 'main', context),
  ]);
  expect(one.pinned).toEqual(two.pinned);
  expect(await readdir(await context.store.scratchFolder('tmp'))).toEqual([]);
});

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
afterEach(() => expect(unhandled).toEqual([]));
