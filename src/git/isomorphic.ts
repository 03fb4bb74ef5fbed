/** The one home of isomorphic-git: names of commits, fetching, and what git ignores. */
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';
import { type GitFiles, memoryFiles, memoryObjectFolder } from './memory-files.ts';
import { type GitObjects, openObjects } from './objects.ts';
import { checkPack } from './pack-limits.ts';
import { type GitAnswer, type GitTransport, repositoryUrl, unreachable } from './transport.ts';

/** A branch, a tag or HEAD of a server; `peeled` is what an annotated tag points to in the end. */
export interface ServerRef {
  readonly name: string;
  readonly id: string;
  readonly peeled: string | undefined;
}

type Git = typeof import('isomorphic-git');

async function load(): Promise<Git> {
  const { default: git } = await import('isomorphic-git');
  return git;
}

/** The id that a full name of a branch or tag, or `HEAD`, stands for; undefined where there is none. */
export async function readRef(
  files: GitFiles,
  gitFolder: string,
  name: string,
): Promise<string | undefined> {
  const git = await load();
  try {
    return await git.resolveRef({ fs: files, gitdir: gitFolder, ref: name });
  } catch (error) {
    if (systemErrorCode(error) === 'NotFoundError') return undefined;
    if (isGitError(error)) throw unreadable(gitFolder, messageOf(error), error);
    throw error;
  }
}

/** A setting of the repository itself, as text; settings of the user or the machine do not count. */
export async function readSetting(
  files: GitFiles,
  gitFolder: string,
  name: string,
): Promise<string | undefined> {
  const git = await load();
  const value: unknown = await git.getConfig({ fs: files, gitdir: gitFolder, path: name });
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

/** Whether `.gitignore` files or `info/exclude` ignore a path; a folder's path ends with `/`. */
export async function isIgnored(
  files: GitFiles,
  places: { readonly workTree: string; readonly gitFolder: string },
  path: string,
): Promise<boolean> {
  const git = await load();
  const { workTree: dir, gitFolder: gitdir } = places;
  return await git.isIgnored({ fs: files, dir, gitdir, filepath: path });
}

/** The branches, tags and HEAD that a server lists. */
export async function listServerRefs(
  transport: GitTransport,
  url: URL,
  signal: AbortSignal,
): Promise<readonly ServerRef[]> {
  const git = await load();
  const refs = await speak(url, signal, () =>
    git.listServerRefs({
      http: httpOf(transport),
      url: repositoryUrl(url),
      // The list as all servers give it; the newer one saves bytes and costs a request.
      protocolVersion: 1,
      peelTags: true,
    }),
  );
  return refs.map(({ ref, oid, peeled }) => ({ name: ref, id: oid, peeled }));
}

export interface FetchWish {
  /** The id to ask for by itself; undefined asks for all branches and tags. */
  readonly id: string | undefined;
  readonly history: 'shallow' | 'full';
  /** The id of some branch or tag that the server lists; undefined where it lists none. */
  readonly listed: string | undefined;
}

/** Fetches into memory; the objects are there as far as the server gave them. */
export async function fetchObjects(
  transport: GitTransport,
  url: URL,
  wish: FetchWish,
  signal: AbortSignal,
): Promise<GitObjects> {
  const git = await load();
  const files = memoryFiles((path, data) => {
    if (path.endsWith('.pack')) checkPack(data);
  });
  const gitdir = '/repository';
  await files.promises.writeFile(
    `${gitdir}/config`,
    '[remote "origin"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n',
  );
  await files.promises.writeFile(`${gitdir}/HEAD`, 'ref: refs/heads/main\n');
  await speak(url, signal, () =>
    git.fetch({
      fs: files,
      gitdir,
      http: httpOf(transport, wish.listed),
      url: repositoryUrl(url),
      remote: 'origin',
      ...(wish.id === undefined
        ? { tags: true }
        : { ref: wish.id, remoteRef: wish.id, singleBranch: true }),
      ...(wish.history === 'shallow' ? { depth: 1 } : {}),
    }),
  );
  return openObjects([memoryObjectFolder(files, `${gitdir}/objects`)]);
}

/** Whether a server said that it cannot send a commit without its history. */
export function lacksShallow(error: unknown): boolean {
  return error instanceof PkgError && systemErrorCode(error.cause) === 'RemoteCapabilityError';
}

/**
 * Runs an exchange. Whatever isomorphic-git makes of an answer that no repository gives, or of one that
 * breaks off, is the server's doing.
 */
async function speak<T>(url: URL, signal: AbortSignal, exchange: () => Promise<T>): Promise<T> {
  try {
    return await exchange();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PkgError) throw error;
    const isOther = ['SmartHttpError', 'ParseError'].includes(systemErrorCode(error) ?? '');
    const why = isOther ? 'it does not answer as a git repository' : messageOf(error);
    throw unreachable(url, why, error);
  }
}

/**
 * A transport as isomorphic-git wants it. `head` becomes HEAD in a list that has none, which is so where
 * HEAD names a branch without commits, and with which isomorphic-git fetches nothing.
 */
function httpOf(transport: GitTransport, head?: string) {
  return {
    request: async (request: {
      url: string;
      method?: string | undefined;
      headers?: Record<string, string> | undefined;
      body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
    }) => {
      const parts: Uint8Array[] = [];
      for await (const part of request.body ?? []) parts.push(part);
      const answer = await transport.request({
        url: request.url,
        method: request.method === 'POST' ? 'POST' : 'GET',
        headers: request.headers ?? {},
        body: parts.length === 0 ? undefined : Buffer.concat(parts),
      });
      return {
        url: answer.url,
        statusCode: 200,
        statusMessage: 'OK',
        headers: { ...answer.headers },
        body: once(head === undefined ? answer.body : withHead(answer, head)),
      };
    },
  };
}

/** A list of branches and tags with a HEAD in it: one more line before its end. */
function withHead({ url, body }: GitAnswer, head: string): Uint8Array {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length);
  const isList = url.endsWith('service=git-upload-pack') && text.subarray(-4).equals(FLUSH);
  if (!isList || text.includes(' HEAD\0') || text.includes(' HEAD\n')) return body;
  const line = Buffer.from(`0032${head} HEAD\n`);
  return Buffer.concat([text.subarray(0, -4), line, FLUSH]);
}

/** The end of a list (protocol-common, pkt-line). */
const FLUSH = Buffer.from('0000');

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield await Promise.resolve(bytes);
}

/** Whether isomorphic-git threw it: its errors have a code that ends so. */
function isGitError(error: unknown): boolean {
  return /Error$/.test(systemErrorCode(error) ?? '');
}

function unreadable(gitFolder: string, why: string, cause: unknown): PkgError {
  return new PkgError('not-found', `the git repository ${gitFolder} cannot be read: ${why}`, {
    hint: 'Run git fsck in it, or clone it anew.',
    cause,
  });
}
