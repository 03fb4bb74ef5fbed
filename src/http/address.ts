/** Which hosts a URL may lead to: the private ones only where the source itself stood there. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** How far a request may go: to any host, or to hosts with public addresses only. */
export type Reach = 'anywhere' | 'public';

/** Special-purpose ranges of RFC 6890 and its successors that are not the public internet. */
const PRIVATE_RANGES: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

const privateAddresses = new BlockList();
for (const [address, prefix] of PRIVATE_RANGES) {
  privateAddresses.addSubnet(address, prefix, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether an IP address is loopback, link-local, of a private network or otherwise not public. */
export function isPrivateAddress(address: string): boolean {
  const embedded = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (embedded !== undefined) return isPrivateAddress(embedded);
  return privateAddresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** The host of a URL as an IP address, where it is written as one. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}

/** Whether any address of a URL's host is private; a host that does not resolve is not. */
export async function isPrivateHost(url: URL): Promise<boolean> {
  const literal = literalAddress(url);
  if (literal !== undefined) return isPrivateAddress(literal);
  try {
    const addresses = await lookup(url.hostname, { all: true });
    return addresses.some(({ address }) => isPrivateAddress(address));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/**
 * How far a redirect may lead: wherever its source may, if that stood at a private address itself or
 * on the same host; else to public hosts only.
 */
export async function reachAfterRedirect(source: URL, reach: Reach, target: URL): Promise<Reach> {
  if (reach === 'public' || target.host === source.host) return reach;
  return (await isPrivateHost(source)) ? 'anywhere' : 'public';
}
