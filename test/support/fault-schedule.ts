/** Schedules of faults: what becomes of each request, as a number decides it. */
import { createHash } from 'node:crypto';
import type { Exchange, Fault } from './faulty-proxy.ts';
import type { Toxic } from './toxiproxy.ts';

export interface FaultSchedule {
  readonly seed: number;
  /** What Toxiproxy does to the connections; of most schedules nothing. */
  readonly toxics: readonly Toxic[];
  /** Begins an operation that takes about so many requests, and decides about each of them. */
  begin(operation: string, requests: number): (exchange: Exchange) => Fault;
}

/** Every fourth schedule also has Toxiproxy in the way. */
const TOXIC_EVERY = 4;

/** Stalls cost real time, until the client gives a request up. */
const MAX_STALLS = 2;

/**
 * The schedule of a seed. A fault happens with a probability of 5 to 30 %; in two of three operations the
 * network is gone for good from some request on. A decision depends on the request and on how often it was
 * made before, not on the order in which requests of one operation arrive.
 */
export function faultSchedule(seed: number): FaultSchedule {
  const probability = 0.05 + 0.25 * fraction(seed, 'probability');
  return {
    seed,
    toxics: seed % TOXIC_EVERY === 3 ? toxicsOf(seed) : [],
    begin: (operation, requests) => {
      const repeats = new Map<string, number>();
      const breaksOff = fraction(seed, operation, 'breaks off') < 0.67;
      const lasts = Math.floor(requests * fraction(seed, operation, 'lasts'));
      let [seen, stalls] = [0, 0];
      return (exchange) => {
        if (breaksOff && seen++ >= lasts) return outage(seed, operation);
        const name = nameOf(exchange);
        const repeat = repeats.get(name) ?? 0;
        repeats.set(name, repeat + 1);
        const draw = (what: string) => fraction(seed, operation, name, repeat, what);
        if (draw('whether') >= probability) return { kind: 'none' };
        const fault = faultOf(draw('which'), draw('where'));
        if (fault.kind !== 'stall') return fault;
        return ++stalls <= MAX_STALLS ? fault : { kind: 'reset' };
      };
    },
  };
}

/** A request as far as it is the same in every run: without bucket, upload, lease and time. */
function nameOf({ method, path, range = '' }: Exchange): string {
  const key = path
    .replace(/^\/[^/?]+/, '')
    .replace(/uploadId=[^&]+/, 'uploadId=')
    .replace(/(leases\/[a-z]+)-[0-9a-f-]+/, '$1')
    .replace(/\/\d{10}(?=$|\?)/, '/time');
  return `${method} ${key} ${range}`;
}

/** A fault of any kind; `where` in [0, 1) says how far the exchange comes. */
function faultOf(which: number, where: number): Fault {
  const afterBytes = Math.floor(where ** 4 * 20 * 2 ** 20);
  const faults: readonly Fault[] = [
    { kind: 'refuse', status: 500, code: 'InternalError' },
    { kind: 'refuse', status: 503, code: 'SlowDown' },
    { kind: 'refuse', status: 429, code: 'TooManyRequests' },
    { kind: 'lose answer' },
    { kind: 'cut answer', afterBytes },
    { kind: 'cut request', afterBytes },
    { kind: 'reset' },
    { kind: 'delay answer', delayMs: Math.floor(where * 100) },
    { kind: 'stall', isDone: where < 0.5 },
  ];
  return faults[Math.floor(which * faults.length)] ?? { kind: 'reset' };
}

/** What every request meets once the network is gone. */
function outage(seed: number, operation: string): Fault {
  const which = fraction(seed, operation, 'outage');
  if (which < 0.4) return { kind: 'reset' };
  if (which < 0.7) return { kind: 'refuse', status: 503, code: 'SlowDown' };
  return { kind: 'refuse', status: 500 };
}

function toxicsOf(seed: number): readonly Toxic[] {
  const stream = fraction(seed, 'stream') < 0.5 ? 'upstream' : 'downstream';
  const toxics: readonly Toxic[] = [
    { type: 'latency', stream, toxicity: 1, attributes: { latency: 10, jitter: 10 } },
    { type: 'reset_peer', stream, toxicity: 0.3, attributes: { timeout: 30 } },
    { type: 'limit_data', stream, toxicity: 0.5, attributes: { bytes: 5_000_000 } },
    { type: 'timeout', stream, toxicity: 0.2, attributes: { timeout: 100 } },
    {
      ...{ type: 'slicer', stream, toxicity: 1 },
      attributes: { average_size: 50_000, size_variation: 20_000, delay: 10 },
    },
    { type: 'bandwidth', stream, toxicity: 1, attributes: { rate: 50_000 } },
  ];
  const [one, other] = ['one', 'other'].map(
    (which) => toxics[Math.floor(fraction(seed, 'toxic', which) * toxics.length)],
  );
  return [...new Set([one, other])].filter((toxic) => toxic !== undefined);
}

/** A number in [0, 1) that depends on all that is given and on nothing else. */
export function fraction(...parts: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readUInt32LE() / 2 ** 32;
}
