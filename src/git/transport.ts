/** HTTP for git: requests with time-outs, retries, redirects and credentials, answers as a whole. */
import { isPrivateHost, reachAfterRedirect } from '../http/address.ts';
import {
  backoffDelayMs,
  isTransientError,
  isTransientStatus,
  retryAfterMs,
} from '../http/retry.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { authorizationFor, credentialsHint, type GitCredentials } from './credentials.ts';

/** A request of the smart HTTP protocol, https://git-scm.com/docs/http-protocol. */
export interface GitRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** An answer with status 200. */
export interface GitAnswer {
  /** The address that gave it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface TransportLimits {
  /** For connecting, the first byte, and any pause in the body. */
  readonly timeoutMs: number;
  /** Repeats after a failure that another try can mend. */
  readonly retries: number;
  /** Of a list of branches and tags. */
  readonly maxListBytes: number;
  /** Of a pack, which is held in memory. */
  readonly maxPackBytes: number;
}

const TRANSPORT_LIMITS: TransportLimits = {
  timeoutMs: 30_000,
  retries: 3,
  maxListBytes: 1 << 26,
  maxPackBytes: 1 << 28,
};

const MAX_REDIRECTS = 5;

/** A host that asks for a longer pause than this is treated as unreachable. */
const MAX_PAUSE_MS = 60_000;

const LIST_SUFFIX = '/info/refs?service=git-upload-pack';

/** GitHub and others speak git only to those who say so. */
const USER_AGENT = 'git/pkg';

interface TransportContext {
  readonly runtime: Runtime;
  readonly credentials: GitCredentials;
}

/** What one try gave: an answer of any status, its body whole. */
interface RawAnswer extends GitAnswer {
  readonly status: number;
}

/** Speaks to the repository at one address. */
export class GitTransport {
  readonly #context: TransportContext;
  readonly #limits: TransportLimits;
  readonly #source: URL;
  #base: string;

  constructor(context: TransportContext, source: URL, limits = TRANSPORT_LIMITS) {
    this.#context = context;
    this.#limits = limits;
    this.#source = source;
    this.#base = repositoryUrl(source);
  }

  /**
   * Asks until there is a final answer, and gives it if it is a good one. Redirects are followed when
   * branches and tags are listed; what is asked then goes where that list came from.
   * @throws PkgError `not-found` where the server knows no such repository, `unreachable` for any
   * other refusal or failure.
   */
  async request(request: GitRequest): Promise<GitAnswer> {
    let address = new URL(request.url.replace(repositoryUrl(this.#source), this.#base));
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await this.#ask(address, request);
      if (answer.status === 200) {
        if (hops > 0) this.#base = address.href.slice(0, -LIST_SUFFIX.length);
        return answer;
      }
      if (answer.status < 300 || answer.status >= 400) throw this.#refused(address, answer.status);
      address = await this.#redirect(address, request, answer);
    }
    throw unreachable(this.#source, `it redirects more than ${String(MAX_REDIRECTS)} times`);
  }

  /** One request, and once more with credentials where the server wants them and may have them. */
  async #ask(address: URL, request: GitRequest): Promise<RawAnswer> {
    const answer = await this.#tryUntilFinal(address, request, {});
    const isOurs = address.host === this.#source.host;
    const authorization = isOurs ? authorizationFor(this.#context.credentials, address) : undefined;
    if (answer.status !== 401 || authorization === undefined) return answer;
    return await this.#tryUntilFinal(address, request, { authorization });
  }

  async #tryUntilFinal(
    address: URL,
    request: GitRequest,
    extra: Readonly<Record<string, string>>,
  ): Promise<RawAnswer> {
    const { clock, signal, random } = this.#context.runtime;
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted();
      const isLast = failures > this.#limits.retries;
      let waitMs = backoffDelayMs(failures, random);
      try {
        const answer = await this.#tryOnce(address, request, extra);
        if (isLast || !isTransientStatus(answer.status)) return answer;
        const askedMs = retryAfterMs(answer.headers['retry-after'], clock.now()) ?? 0;
        if (askedMs > MAX_PAUSE_MS) return answer;
        waitMs = Math.max(waitMs, askedMs);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof PkgError) throw error;
        if (isLast || !isTransientError(error)) throw unreachable(address, reasonOf(error), error);
      }
      await clock.sleep(waitMs, signal);
    }
  }

  async #tryOnce(
    address: URL,
    request: GitRequest,
    extra: Readonly<Record<string, string>>,
  ): Promise<RawAnswer> {
    const silence = new SilenceTimer(this.#limits.timeoutMs);
    try {
      const response = await fetch(address, {
        method: request.method,
        headers: { ...request.headers, ...extra, 'user-agent': USER_AGENT },
        redirect: 'manual',
        signal: AbortSignal.any([this.#context.runtime.signal, silence.signal]),
        ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
      });
      silence.restart();
      const isList = request.method === 'GET';
      const maxBytes = isList ? this.#limits.maxListBytes : this.#limits.maxPackBytes;
      return {
        status: response.status,
        url: address.href,
        headers: Object.fromEntries(response.headers),
        body: await readWhole(response, address, maxBytes, silence),
      };
    } finally {
      silence.stop();
    }
  }

  async #redirect(from: URL, request: GitRequest, answer: RawAnswer): Promise<URL> {
    const location = answer.headers['location'] ?? '';
    if (request.method !== 'GET' || !URL.canParse(location, from.href)) {
      throw unreachable(from, `it answers with HTTP ${String(answer.status)}`);
    }
    const target = new URL(location, from);
    const refuse = (why: string) => unreachable(from, `it redirects to ${target.href}, ${why}`);
    if (target.protocol !== 'https:' && target.protocol !== from.protocol) {
      throw refuse('which is not secure');
    }
    if (target.username !== '' || target.password !== '') throw refuse('with credentials in it');
    if (!isList(target)) throw refuse('which is no git repository');
    const reach = await reachAfterRedirect(this.#source, 'anywhere', target);
    if (reach === 'public' && (await isPrivateHost(target))) throw refuse('a private address');
    return target;
  }

  #refused(address: URL, status: number): PkgError {
    const hint = this.#credentialsHint(address);
    if (status === 404 || status === 410) {
      return new PkgError('not-found', `there is no git repository at ${this.#source.href}`, {
        key: 'code.repository',
        hint: `Check the address. ${hint}`,
      });
    }
    if (status === 401 || status === 403) {
      const what = `${address.host} refuses access to the repository ${this.#source.href}`;
      return new PkgError('unreachable', `${what} (HTTP ${String(status)})`, { hint });
    }
    return unreachable(address, `it answers with HTTP ${String(status)}`);
  }

  #credentialsHint(address: URL): string {
    if (address.host !== this.#source.host) {
      return `It redirects to ${address.host}, which gets no credentials so: write its address instead.`;
    }
    return credentialsHint(this.#context.credentials, address);
  }
}

/** A repository's URL as paths are appended to it. */
export function repositoryUrl(url: URL): string {
  return url.href.replace(/\/+$/, '');
}

/** Whether an address is that of a repository's list of branches and tags. */
function isList({ pathname, search, hash }: URL): boolean {
  return hash === '' && `${pathname}${search}`.endsWith(LIST_SUFFIX) && pathname.endsWith('/refs');
}

/** Aborts what is silent for too long. */
class SilenceTimer {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const seconds = String(this.#timeoutMs / 1000);
      this.#controller.abort(
        Object.assign(new Error(`it says nothing for ${seconds} s`), { code: 'ETIMEDOUT' }),
      );
    }, this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

async function readWhole(
  response: Response,
  address: URL,
  maxBytes: number,
  silence: SilenceTimer,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return Buffer.alloc(0);
  for await (const chunk of body) {
    silence.restart();
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      throw unreachable(
        address,
        `it sends more than ${String(maxBytes >> 20)} MiB; clone it, and name the clone's folder`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

/** What went wrong, as `fetch` hides it in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause) || 'the connection broke';
}

/** The error for a repository that cannot be reached, now or at all. */
export function unreachable(url: URL, why: string, cause?: unknown): PkgError {
  const address = url.href.replace(/\/(info\/refs|git-upload-pack)(\?.*)?$/, '');
  return new PkgError('unreachable', `the repository ${address} could not be fetched: ${why}`, {
    hint: 'Check the address and the network, then run the command again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
