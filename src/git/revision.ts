/** A revision as people write it: a branch, a tag, a commit id or `HEAD`, by git's own rules. */
import { PkgError } from '../runtime/errors.ts';

export type Revision =
  /** A full commit id. */
  | { readonly kind: 'id'; readonly id: string }
  /** Full names in the order in which git looks for them, then digits that may shorten an id. */
  | { readonly kind: 'name'; readonly names: readonly string[]; readonly digits?: string };

/** What git forbids in a name (git-check-ref-format); its own operators such as `~` are among it. */
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|\/\.|[/.]$|\.lock(\/|$)|^@$/;

/**
 * Reads a revision. A name is looked for as gitrevisions has it: as it is below `refs/`, as a tag, as
 * a branch, then as a branch of a remote; a tag comes before a branch of its name.
 * @throws PkgError `usage` for what is neither name nor id.
 */
export function parseRevision(revision: string): Revision {
  if (/^[0-9a-f]{40}$/i.test(revision)) return { kind: 'id', id: revision.toLowerCase() };
  if (/^[0-9a-f]{64}$/i.test(revision)) {
    throw refusal(`${revision} is a SHA-256 commit id, and only SHA-1 repositories can be read`);
  }
  if (revision === 'HEAD') return { kind: 'name', names: ['HEAD'] };
  if (revision === '' || FORBIDDEN.test(revision)) {
    throw refusal(`${JSON.stringify(revision)} is no branch, tag or commit`);
  }
  if (revision.startsWith('refs/')) return { kind: 'name', names: [revision] };
  const names = [
    `refs/${revision}`,
    `refs/tags/${revision}`,
    `refs/heads/${revision}`,
    `refs/remotes/${revision}`,
    `refs/remotes/${revision}/HEAD`,
  ];
  const isShort = /^[0-9a-f]{4,39}$/i.test(revision);
  return { kind: 'name', names, ...(isShort ? { digits: revision.toLowerCase() } : {}) };
}

function refusal(what: string): PkgError {
  return new PkgError('usage', what, {
    key: 'code.revision',
    hint: 'Write the name of a branch or a tag, all 40 digits of a commit, or HEAD.',
  });
}
