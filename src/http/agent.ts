/** Connections: pools with time limits, to anywhere or to public addresses only. */
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Agent } from 'undici';
import { isPrivateAddress, type Reach } from './address.ts';

/** How many connections a host gets, and how long each may be silent. */
export interface AgentLimits {
  readonly concurrency: number;
  readonly timeoutMs: number;
}

export async function createAgent(limits: AgentLimits, reach: Reach): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({
    connections: limits.concurrency,
    headersTimeout: limits.timeoutMs,
    bodyTimeout: limits.timeoutMs,
    connect: {
      timeout: limits.timeoutMs,
      ...(reach === 'public' ? { lookup: lookupPublic } : {}),
    },
  });
}

/** Resolves names to public addresses only, at the moment of connecting. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '');
      return;
    }
    const allowed = addresses.filter(({ address }) => !isPrivateAddress(address));
    const [first] = allowed;
    if (first === undefined) {
      callback(Object.assign(new Error(`${hostname} is private`), { code: 'PRIVATE' }), '');
    } else if (options.all === true) {
      callback(null, allowed);
    } else {
      callback(null, first.address, first.family);
    }
  });
};
