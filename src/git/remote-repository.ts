/** A repository on a server: which commit a revision names, and the commit's objects. */
import { messageOf, PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { peelToCommit } from './commit-tree.ts';
import type { GitCredentials } from './credentials.ts';
import { fetchObjects, lacksShallow, listServerRefs, type ServerRef } from './isomorphic.ts';
import type { GitObjects } from './objects.ts';
import { parseRevision } from './revision.ts';
import { GitTransport } from './transport.ts';

export interface RemoteRepository {
  readonly runtime: Runtime;
  readonly url: URL;
  readonly transport: GitTransport;
}

export function openRemote(
  context: { readonly runtime: Runtime; readonly credentials: GitCredentials },
  url: URL,
): RemoteRepository {
  return { runtime: context.runtime, url, transport: new GitTransport(context, url) };
}

/** What a revision names on a server, and the list in which it was found. */
export interface RemoteCommit {
  readonly commit: string;
  readonly refs: readonly ServerRef[];
}

/**
 * The commit that a revision names on a server. A full id is taken at its word.
 * @throws PkgError `not-found` where no branch or tag has the name.
 */
export async function resolveRemote(
  repository: RemoteRepository,
  revision: string,
): Promise<RemoteCommit> {
  const parsed = parseRevision(revision);
  const refs = await listServerRefs(
    repository.transport,
    repository.url,
    repository.runtime.signal,
  );
  if (parsed.kind === 'id') return { commit: parsed.id, refs };
  const found = parsed.names.flatMap((name) => refs.find((ref) => ref.name === name) ?? []);
  const [first, second] = found;
  if (first === undefined) throw notFound(repository, revision, refs, parsed.digits !== undefined);
  if (second !== undefined && commitOf(first) !== commitOf(second)) {
    warnAmbiguous(repository.runtime, first.name, second.name);
  }
  return { commit: commitOf(first), refs };
}

export function warnAmbiguous(runtime: Runtime, taken: string, left: string): void {
  runtime.report({
    kind: 'warned',
    message: `The revision names ${taken} and ${left}; ${taken} is taken, as git does.`,
  });
}

function commitOf(ref: ServerRef): string {
  return ref.peeled ?? ref.id;
}

function notFound(
  repository: RemoteRepository,
  revision: string,
  refs: readonly ServerRef[],
  isShort: boolean,
): PkgError {
  const where = repository.url.href;
  if (refs.length === 0) {
    return new PkgError('not-found', `the repository ${where} has no commits yet`, {
      key: 'code.repository',
      hint: 'Push to it first.',
    });
  }
  return new PkgError('not-found', `${where} has no branch or tag ${revision}`, {
    key: 'code.revision',
    hint: isShort
      ? 'A shortened commit id works for a repository on this machine only: write all 40 digits.'
      : 'Check the name, and whether it was pushed.',
  });
}

/**
 * Fetches a commit and its tree: by itself where the server gives it so, else with all branches and
 * tags and their history.
 * @throws PkgError `not-found` where the server has no such commit.
 */
export async function fetchCommit(
  repository: RemoteRepository,
  { commit, refs }: RemoteCommit,
): Promise<GitObjects> {
  const progress = startProgress(repository.runtime, 'code', undefined);
  const objects = await fetchAnyhow(repository, { commit, refs });
  progress.finish(`fetched ${commit} of ${repository.url.href}`);
  return objects;
}

async function fetchAnyhow(
  repository: RemoteRepository,
  { commit, refs }: RemoteCommit,
): Promise<GitObjects> {
  const tip = refs.find((ref) => ref.id === commit || ref.peeled === commit);
  const listed = refs[0]?.id;
  const single =
    tip === undefined
      ? await fetchUnlisted(repository, commit, listed)
      : await fetchLimited(repository, tip.id, listed);
  if (single !== undefined && (await hasCommit(single, commit))) return single;
  const all = await fetchLimited(repository, undefined, listed);
  if (await hasCommit(all, commit)) return all;
  throw new PkgError('not-found', `${repository.url.href} has no commit ${commit}`, {
    key: 'code.revision',
    hint: 'It was never pushed there, or was removed since; name a commit of a branch or tag.',
  });
}

/** A commit that no branch or tag points to; undefined where the server does not give it by its id. */
async function fetchUnlisted(
  repository: RemoteRepository,
  id: string,
  listed: string | undefined,
): Promise<GitObjects | undefined> {
  try {
    return await fetchLimited(repository, id, listed);
  } catch (error) {
    // A server says in many ways that it gives no commit by its id; all branches are the second try.
    if (!(error instanceof PkgError) || error.code !== 'unreachable') throw error;
    repository.runtime.report({
      kind: 'noted',
      message: `The commit was not given by itself (${messageOf(error)}); all branches are fetched.`,
    });
    return undefined;
  }
}

async function fetchLimited(
  { transport, url, runtime }: RemoteRepository,
  id: string | undefined,
  listed: string | undefined,
): Promise<GitObjects> {
  const history = id === undefined ? 'full' : 'shallow';
  try {
    return await fetchObjects(transport, url, { id, history, listed }, runtime.signal);
  } catch (error) {
    if (history === 'full' || !lacksShallow(error)) throw error;
    return await fetchObjects(transport, url, { id, history: 'full', listed }, runtime.signal);
  }
}

async function hasCommit(objects: GitObjects, commit: string): Promise<boolean> {
  return (await peelToCommit(objects, commit)) === commit;
}
