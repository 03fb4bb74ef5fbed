// The test data's photos on a server, and manifests for them.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { ROOT, SHARED } from '../scripts/tools.mjs';

/** Serves oid-mini on a free port, without faults. */
export async function startServer(folder) {
  const portFile = join(folder, 'server-url');
  rmSync(portFile, { force: true });
  const script = join(SHARED, 'data', 'serve_oid.py');
  const child = spawn('python3', [script, '--profile', 'clean', '--port-file', portFile], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  while (!existsSync(portFile)) {
    if (child.exitCode !== null) throw new Error(`${script} ended at once`);
    await sleep(50);
  }
  return { url: readFileSync(portFile, 'utf8').trim(), stop: () => child.kill('SIGTERM') };
}

/** The template's manifest for some classes, from the server. */
export function templateFor(classes, url) {
  const text = readFileSync(join(ROOT, 'templates', 'image-classifier.yaml'), 'utf8');
  const { data, ...manifest } = parse(text);
  const meta = Object.entries(data.source).map(([name, address]) => {
    return [name, `${url}/meta/${address.split('/').at(-1)}`];
  });
  return {
    ...manifest,
    data: {
      ...data,
      source: Object.fromEntries(meta),
      query: { ...data.query, classes },
      fetch: { ...data.fetch, requestsPerSecond: 1000 },
    },
  };
}

/** Runs a program and returns what it printed. */
export function say(program, args) {
  return execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
}
