/** Which commit a revision names in a repository on this machine. */
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { peelToCommit } from './commit-tree.ts';
import { readRef } from './isomorphic.ts';
import type { LocalRepository } from './local-repository.ts';
import type { GitObjects } from './objects.ts';
import { warnAmbiguous } from './remote-repository.ts';
import { parseRevision } from './revision.ts';

export interface LocalSource {
  readonly runtime: Runtime;
  readonly repository: LocalRepository;
  readonly objects: GitObjects;
}

/**
 * The commit that a revision names.
 * @throws PkgError `not-found` where none or several could be meant.
 */
export async function resolveLocal(source: LocalSource, revision: string): Promise<string> {
  const parsed = parseRevision(revision);
  if (parsed.kind === 'id') return await commitAt(source, revision, parsed.id);
  const found: { readonly name: string; readonly commit: string }[] = [];
  for (const name of parsed.names) {
    const id = await readRef(source.repository.files, source.repository.gitFolder, name);
    if (id !== undefined) found.push({ name, commit: await commitAt(source, name, id) });
  }
  const [first, second] = found;
  if (first !== undefined) {
    if (second !== undefined && second.commit !== first.commit) {
      warnAmbiguous(source.runtime, first.name, second.name);
    }
    return first.commit;
  }
  if (parsed.digits !== undefined) return await expand(source, parsed.digits);
  throw notFound(source, revision);
}

/** The commit that is checked out; undefined before the first. */
export async function readHead(source: LocalSource): Promise<string | undefined> {
  return await readRef(source.repository.files, source.repository.gitFolder, 'HEAD');
}

async function commitAt(source: LocalSource, revision: string, id: string): Promise<string> {
  const commit = await peelToCommit(source.objects, id);
  if (commit === undefined) throw notFound(source, revision);
  return commit;
}

/** A shortened id, which names one commit; other objects that begin so do not count, as with git. */
async function expand(source: LocalSource, digits: string): Promise<string> {
  const commits: string[] = [];
  for (const id of await source.objects.findByPrefix(digits)) {
    if ((await source.objects.read(id))?.type === 'commit') commits.push(id);
  }
  const [commit, other] = commits;
  if (commit === undefined) throw notFound(source, digits);
  if (other === undefined) return commit;
  const where = placeOf(source.repository);
  throw new PkgError('not-found', `several commits of ${where} begin with ${digits}`, {
    key: 'code.revision',
    hint: 'Write more digits of the commit, or all.',
  });
}

function notFound({ repository }: LocalSource, revision: string): PkgError {
  const where = placeOf(repository);
  if (revision === 'HEAD') {
    return new PkgError('not-found', `the git repository ${where} has no commits yet`, {
      key: 'code.revision',
      hint: 'Commit the code first: git add and git commit.',
    });
  }
  return new PkgError('not-found', `the git repository ${where} has no revision ${revision}`, {
    key: 'code.revision',
    hint: 'Check the name with git branch --all and git tag, or fetch what it lacks.',
  });
}

/** A repository's place as people know it. */
export function placeOf(repository: LocalRepository): string {
  return repository.workTree ?? repository.gitFolder;
}
