/** Locks beside files: one process holds one at a time, and loses it when it dies. */
import { createHash, randomUUID } from 'node:crypto';
import { constants, copyFile, link, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname, networkInterfaces, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent, writeChunks } from '../store/atomic-file.ts';

const POLL_MS = 20;

/** A lock this old was left by a process that died, on a machine that cannot be asked. */
const MAX_AGE_MS = 30_000;

/** A process of this machine that is still there may have been stopped for a while. */
const MAX_LIVE_AGE_MS = 600_000;

/** A lock that was taken. */
export interface HeldLock {
  /** Whether nobody took it away, as from a process that was stopped for too long. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Waits for the lock beside a file and takes it. The lock file appears whole, by a hard link, so that
 * it also excludes on network file systems. It says who holds it: where that was a process of this
 * machine which is gone, it is broken at once, else when it is too old. Ages are told by the file
 * system's own clock, which may differ from this machine's.
 */
export async function takeLock(runtime: Runtime, path: string): Promise<HeldLock> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  const draft = join(dirname(path), `.${randomUUID()}.tmp`);
  const own = JSON.stringify({ ...(await ownIdentity()), nonce: randomUUID() });
  const isOwn = async () => (await readTextIfPresent(lock)) === own;
  const startMs = runtime.clock.now();
  try {
    await writeChunks(draft, [Buffer.from(own)]);
    const { mtimeMs } = await stat(draft);
    while ((await placeIfAbsent(draft, lock)) === 'conflict' && !(await isOwn())) {
      const nowMs = mtimeMs + runtime.clock.now() - startMs;
      if (!(await breakIfStale(lock, nowMs))) await runtime.clock.sleep(POLL_MS, runtime.signal);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    isHeld: isOwn,
    release: async () => {
      if (await isOwn()) await rm(lock, { force: true });
    },
  };
}

/** Gives a finished file its name if that is free, by a hard link where the disk has those. */
export async function placeIfAbsent(
  temporaryPath: string,
  path: string,
): Promise<'written' | 'conflict'> {
  try {
    await link(temporaryPath, path);
    return 'written';
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST') return 'conflict';
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
  }
  try {
    await copyFile(temporaryPath, path, constants.COPYFILE_EXCL);
    return 'written';
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return 'conflict';
    throw error;
  }
}

/** Takes an abandoned lock away; true where the lock can be tried again at once. */
async function breakIfStale(lock: string, nowMs: number): Promise<boolean> {
  try {
    const text = await readFile(lock, 'utf8');
    const ageMs = nowMs - (await stat(lock)).mtimeMs;
    const state = await stateOf(text);
    if (state !== 'dead' && ageMs < (state === 'alive' ? MAX_LIVE_AGE_MS : MAX_AGE_MS)) {
      return false;
    }
    await takeAside(lock, text);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  return true;
}

/**
 * Renames a lock away, which only one process can do, and looks again: by then it may be the lock of
 * someone who came later, who gets it back.
 */
async function takeAside(lock: string, text: string): Promise<void> {
  const aside = join(dirname(lock), `.${randomUUID()}.tmp`);
  await rename(lock, aside);
  try {
    if ((await readFile(aside, 'utf8')) !== text) await placeIfAbsent(aside, lock);
  } finally {
    await rm(aside, { force: true });
  }
}

interface Identity {
  /** The machine, and on Linux its boot and the space of its process ids; undefined if unknown. */
  readonly machine: string | undefined;
  readonly pid: number;
  /** When the process began, in the system's own unit; ids are used again. */
  readonly started: string | undefined;
}

let thisMachine: Promise<string | undefined> | undefined;

async function ownIdentity(): Promise<Identity> {
  thisMachine ??= describeMachine();
  return { machine: await thisMachine, pid, started: await startOf(pid) };
}

/** What no other running machine or container has in common with this one. */
async function describeMachine(): Promise<string | undefined> {
  const parts = [hostname()];
  if (platform() === 'linux') {
    try {
      parts.push(await readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
      parts.push(await readlink('/proc/self/ns/pid'));
    } catch {
      return undefined;
    }
  }
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { mac, internal } of addresses ?? []) if (!internal) parts.push(mac);
  }
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** Whether whoever wrote a lock is there; unknown for other machines and damaged locks. */
async function stateOf(text: string): Promise<'alive' | 'dead' | 'unknown'> {
  const owner = parseIdentity(text);
  const own = await ownIdentity();
  if (owner?.machine === undefined || owner.machine !== own.machine) return 'unknown';
  try {
    kill(owner.pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return 'dead';
  }
  return (await startOf(owner.pid)) === owner.started ? 'alive' : 'dead';
}

function parseIdentity(text: string): Identity | undefined {
  const match =
    /^\{"machine":"([0-9a-f]{64})","pid":(\d{1,9})(?:,"started":"(\d{1,20})")?,"nonce":/.exec(text);
  const [, machine, id, started] = match ?? [];
  return id === undefined || Number(id) === 0 ? undefined : { machine, pid: Number(id), started };
}

/** On Linux, field 22 of `/proc/PID/stat`: clock ticks since the boot. */
async function startOf(id: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${String(id)}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
