/** Who may read a private repository: one host's credentials, out of the environment. */
import { isIPv4 } from 'node:net';

/**
 * Credentials for one host. A repository's address may come from somebody else's package, so they
 * are sent to the host they are for and to no other.
 */
export interface GitCredentials {
  /** `host` or `host:port`, as it stands in the repository's URL. */
  readonly host?: string;
  readonly username?: string;
  /** A password or a token. */
  readonly password?: string;
}

/** Servers that take a token as password take any name with it; GitHub's documents use this one. */
const TOKEN_USERNAME = 'x-access-token';

/**
 * Credentials as the environment gives them: `PKG_GIT_HOST`, and `PKG_GIT_TOKEN` or
 * `PKG_GIT_USERNAME` and `PKG_GIT_PASSWORD`.
 */
export function gitCredentials(
  environment: Readonly<Record<string, string | undefined>>,
): GitCredentials {
  const nonEmpty = (name: string) => {
    const value = environment[name];
    return value === '' ? undefined : value;
  };
  const host = nonEmpty('PKG_GIT_HOST');
  const username = nonEmpty('PKG_GIT_USERNAME');
  const password = nonEmpty('PKG_GIT_TOKEN') ?? nonEmpty('PKG_GIT_PASSWORD');
  return {
    ...(host === undefined ? {} : { host: host.toLowerCase() }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/**
 * The `Authorization` header for a request to `url` (Basic, RFC 7617); none for another host than
 * theirs, nor where anyone on the way could read them.
 */
export function authorizationFor(credentials: GitCredentials, url: URL): string | undefined {
  const { host, password, username = TOKEN_USERNAME } = credentials;
  if (password === undefined || host !== url.host) return undefined;
  if (url.protocol !== 'https:' && !isLoopback(url)) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Whether a URL's host is this machine by its name or number. */
function isLoopback(url: URL): boolean {
  const { hostname } = url;
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

/** What to do where a server at `url` wants credentials and got none, or others. */
export function credentialsHint(credentials: GitCredentials, url: URL): string {
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    return 'Credentials are sent over https only: write the address with https://.';
  }
  const set = `set PKG_GIT_HOST=${url.host} with PKG_GIT_TOKEN (or PKG_GIT_USERNAME and PKG_GIT_PASSWORD)`;
  if (credentials.password === undefined) {
    return `If the repository is private, ${set} in the environment.`;
  }
  if (credentials.host === undefined) {
    return `The credentials in the environment say no host: set PKG_GIT_HOST=${url.host} where they are for it.`;
  }
  if (credentials.host !== url.host) {
    return `The credentials in the environment are for ${credentials.host}: ${set}.`;
  }
  return 'Check that the token is valid and may read this repository.';
}
