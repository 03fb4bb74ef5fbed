/** Toxiproxy: a TCP proxy that slows, slices and breaks connections, steered over HTTP. */
import { spawn } from 'node:child_process';
import { freePort, type RunningServer } from './servers.ts';

/** Where Toxiproxy's binary is; empty where there is none. */
export const TOXIPROXY_BINARY = process.env['PKG_TOXIPROXY_BINARY'] ?? '';

/**
 * A toxic (https://github.com/Shopify/toxiproxy#toxics): what happens to the bytes of one direction, and
 * to which share of the connections.
 */
export interface Toxic {
  readonly type:
    | 'latency'
    | 'bandwidth'
    | 'slow_close'
    | 'timeout'
    | 'reset_peer'
    | 'slicer'
    | 'limit_data';
  /** `upstream` is from the client to the server. */
  readonly stream: 'upstream' | 'downstream';
  readonly toxicity: number;
  readonly attributes: Readonly<Record<string, number>>;
}

export interface Toxiproxy extends RunningServer {
  /** Starts a proxy with toxics before the server at `target`. */
  open(target: string, toxics: readonly Toxic[]): Promise<RunningServer>;
}

export async function startToxiproxy(binary: string): Promise<Toxiproxy> {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const child = spawn(binary, ['-host', '127.0.0.1', '-port', String(port)], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await untilAnswering(url, () => child.exitCode === null);
  let opened = 0;
  return {
    url,
    open: async (target, toxics) =>
      await openProxy(url, `proxy-${String(++opened)}`, target, toxics),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function openProxy(
  control: string,
  name: string,
  target: string,
  toxics: readonly Toxic[],
): Promise<RunningServer> {
  const listen = `127.0.0.1:${String(await freePort())}`;
  const upstream = new URL(target).host;
  await ask(control, 'POST', '/proxies', { name, listen, upstream, enabled: true });
  for (const [index, toxic] of toxics.entries()) {
    await ask(control, 'POST', `/proxies/${name}/toxics`, { name: String(index), ...toxic });
  }
  return {
    url: `http://${listen}`,
    stop: async () => await ask(control, 'DELETE', `/proxies/${name}`),
  };
}

async function ask(control: string, method: string, path: string, body?: unknown): Promise<void> {
  const answer = await fetch(control + path, {
    method,
    // Toxiproxy refuses what comes from browsers, by its name.
    headers: { 'user-agent': 'test', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path} answered ${text}`);
}

async function untilAnswering(url: string, isRunning: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (!isRunning()) throw new Error('toxiproxy ended at once');
    try {
      await ask(url, 'GET', '/version');
      return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await new Promise((later) => setTimeout(later, 50));
    }
  }
  throw new Error('toxiproxy does not answer');
}
