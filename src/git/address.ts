/** Where a manifest's code lies: an address on a server, or a folder on this machine. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, PkgError } from '../runtime/errors.ts';

export type CodeAddress =
  | { readonly kind: 'remote'; readonly url: URL }
  /** `isOwn`: the repository that holds the folder, which may lie some folders above it. */
  | { readonly kind: 'local'; readonly path: string; readonly isOwn: boolean };

/** A scheme of two letters or more, since one letter is a drive. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/** `user@host:path` or `host:path`, which git takes for ssh. */
const SCP_LIKE = /^(?:[^/@:\s]+@)?([^/@:\s]{2,}):(?!\/\/)(.*)$/;

/**
 * The address that a manifest's `code.repository` names; relative paths and `.` start at `folder`.
 * @throws PkgError `usage` for ssh and other protocols, for a URL with credentials, a query or a
 * fragment, and for a `file:` URL that is no path here.
 */
export function parseCodeAddress(repository: string, folder: string): CodeAddress {
  if (repository === '.') return { kind: 'local', path: resolve(folder), isOwn: true };
  const scheme = SCHEME.exec(repository)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') {
    return { kind: 'remote', url: parseHttpUrl(repository) };
  }
  if (scheme === 'file') return { kind: 'local', path: parseFileUrl(repository), isOwn: false };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(repository) || isScpLike(repository)) {
    throw new PkgError('usage', `code cannot be fetched from ${repository} by that protocol`, {
      key: 'code.repository',
      hint: `Write ${httpsForm(repository)}; a private repository is read with PKG_GIT_HOST and PKG_GIT_TOKEN.`,
    });
  }
  if (repository === '' || repository.includes('\0')) {
    throw new PkgError('usage', 'the address of the code is empty or no text', {
      key: 'code.repository',
    });
  }
  return { kind: 'local', path: resolve(folder, repository), isOwn: false };
}

function isScpLike(repository: string): boolean {
  return !isAbsolute(repository) && SCP_LIKE.test(repository);
}

function httpsForm(repository: string): string {
  const [, host = '', path = ''] = SCP_LIKE.exec(repository) ?? [];
  if (host !== '') return `https://${host}/${path}`;
  return URL.canParse(repository)
    ? `https://${new URL(repository).hostname}${new URL(repository).pathname}`
    : 'an https:// address, a file:// address or a path';
}

function parseHttpUrl(repository: string): URL {
  const refuse = (what: string, hint: string) =>
    new PkgError('usage', `the address of the code, ${repository}, ${what}`, {
      key: 'code.repository',
      hint,
    });
  if (!URL.canParse(repository)) {
    throw refuse('is no valid URL', 'Write it as https://host/owner/name.git.');
  }
  const url = new URL(repository);
  if (url.username !== '' || url.password !== '') {
    throw refuse(
      'holds credentials, which would be published with the package',
      `Take them out, and set PKG_GIT_HOST=${url.host} and PKG_GIT_TOKEN in the environment.`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw refuse('has a query or a fragment', 'Write the branch, tag or commit as code.revision.');
  }
  return url;
}

function parseFileUrl(repository: string): string {
  try {
    return fileURLToPath(repository);
  } catch (error) {
    throw new PkgError('usage', `${repository} is no folder here: ${messageOf(error)}`, {
      key: 'code.repository',
      hint: 'A file: URL has three slashes and no host: file:///path/to/repository.',
      cause: error,
    });
  }
}
