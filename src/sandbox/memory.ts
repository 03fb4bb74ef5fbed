/** How much memory another process has. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Bytes of a process that are in memory or swapped out, as the system counts them; undefined where there
 * is no such process or the system does not say.
 */
export async function memoryOf(pid: number): Promise<number | undefined> {
  return (await fromProc(pid)) ?? (await fromPs(pid));
}

async function fromProc(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
    const kilobytes = [...status.matchAll(/^Vm(?:RSS|Swap):\s*(\d+) kB$/gm)].map(([, n]) =>
      Number(n),
    );
    if (kilobytes.length === 0) return undefined;
    return 1024 * kilobytes.reduce((sum, n) => sum + n, 0);
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    const kilobytes = Number.parseInt(stdout, 10);
    return Number.isNaN(kilobytes) ? undefined : 1024 * kilobytes;
  } catch {
    return undefined;
  }
}
