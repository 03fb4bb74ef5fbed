/** GET over HTTP: what is asked, what comes back, and who asks. */
import type { Reach } from './address.ts';
import type { HostLimits } from './host-gate.ts';

export interface HttpLimits extends HostLimits {
  /** Repeats after a failure that another try can mend. */
  readonly retries: number;
  /** For connecting, for the first byte, and for a pause inside the body. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  /** `http:`, `https:` or `s3:`. */
  readonly url: string;
  readonly reach: Reach;
  /** A longer body ends the request. */
  readonly maxBytes: number;
  /** Further headers, asked for anew at each try. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** A redirect to such an address is not followed: the answer is the redirect itself. */
  readonly stopAt?: (address: URL) => boolean;
}

/** A final answer: any status that trying again would not change. */
export interface HttpAnswer {
  readonly status: number;
  /** The address that answered, or to which a redirect that was not followed points. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Fails where the body is longer than allowed, slower than allowed or cut short. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What a GET came to; all but `received` are final as well. */
export type HttpResult<T> =
  | { readonly kind: 'received'; readonly value: T }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly url: string;
      readonly why: string;
    }
  | { readonly kind: 'too-large'; readonly status: number; readonly url: string };

export interface HttpClient {
  /**
   * Asks until there is a final answer and hands it to `receive`, which reads the body; a transport
   * failure while it reads is tried again from the start.
   * @throws PkgError `unreachable` when the tries are used up, or for what no try can mend.
   */
  get<T>(request: HttpRequest, receive: (answer: HttpAnswer) => Promise<T>): Promise<HttpResult<T>>;
  close(): Promise<void>;
}

/** A body that arrived but cannot be trusted; thrown by `receive` to have it sent again. */
export class DamagedBody extends Error {}

/** Whether a text is an absolute `http:`, `https:` or `s3:` URL, which a client can ask. */
export function isFetchable(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:', 's3:'].includes(new URL(url).protocol);
}
