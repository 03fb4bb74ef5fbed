/** Locks: one command at a time in a folder, and none kept by a command that died. */
import { randomUUID } from 'node:crypto';
import { link, lstat, open, readFile, readlink, rename, rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { z } from 'zod';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent, withTemporaryFile, writeChunks } from '../store/atomic-file.ts';

/** How long a command waits for another one. */
const PATIENCE_MS = 60_000;
const POLL_MS = 100;

/** A holder touches its lock this often, */
const TOUCH_MS = 5000;
/** and one of another machine that was silent for so long is given up. */
const SILENT_AFTER_MS = 30_000;

const MAX_LOCK_BYTES = 4096;

const holderSchema = z.object({ pid: z.int().positive(), host: z.string(), id: z.string() });
type Holder = z.infer<typeof holderSchema>;

/**
 * Runs `work` while no other command holds the lock at `path`, whose folder is there; `what` is said
 * to be waited for.
 * @throws PkgError `conflict` where another one holds it for longer than a minute.
 */
export async function withLock<T>(
  runtime: Runtime,
  path: string,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const own: Holder = { pid, host: await machineName(), id: randomUUID() };
  await acquire(runtime, path, what, own);
  const touching = setInterval(() => void touch(runtime, path), TOUCH_MS);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    if ((await readHolder(path))?.id === own.id) await rm(path, { force: true });
  }
}

async function acquire(runtime: Runtime, path: string, what: string, own: Holder): Promise<void> {
  const { clock, signal } = runtime;
  const startMs = clock.now();
  let hasSaid = false;
  while (!(await tryCreate(path, own))) {
    const holder = await readHolder(path);
    if (await isAbandoned(runtime, path, holder, own)) {
      await takeAside(path, holder);
      continue;
    }
    if (clock.now() - startMs > PATIENCE_MS) {
      throw new PkgError('conflict', `another command is at work in ${what}${nameOf(holder)}`, {
        hint: `Run the command again when it has ended; if there is none, remove ${path}.`,
      });
    }
    if (!hasSaid) {
      const message = `waiting for another command at work in ${what}${nameOf(holder)}`;
      runtime.report({ kind: 'warned', message });
      hasSaid = true;
    }
    await clock.sleep(POLL_MS, signal);
  }
}

function nameOf(holder: Holder | undefined): string {
  return holder === undefined ? '' : ` (process ${String(holder.pid)})`;
}

/** The lock appears with its content, so that nobody ever reads half of it. */
async function tryCreate(path: string, own: Holder): Promise<boolean> {
  return await withTemporaryFile(dirname(path), async (temporaryPath) => {
    await writeChunks(temporaryPath, [Buffer.from(`${JSON.stringify(own)}\n`)]);
    try {
      await link(temporaryPath, path);
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'EEXIST') return false;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
      return await createUnlinked(path, own);
    } finally {
      await rm(temporaryPath, { force: true });
    }
  });
}

/** For disks without hard links. */
async function createUnlinked(path: string, own: Holder): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${JSON.stringify(own)}\n`).finally(() => file.close());
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const text = (await readTextIfPresent(path))?.slice(0, MAX_LOCK_BYTES);
    return text === undefined ? undefined : holderSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw storageError(error, `cannot read ${path}`);
  }
}

/** A process of this machine is asked for; of others, and of locks that say nothing, only age is known. */
async function isAbandoned(
  { clock }: Runtime,
  path: string,
  holder: Holder | undefined,
  own: Holder,
): Promise<boolean> {
  if (holder?.host === own.host) return !isRunning(holder.pid);
  try {
    return clock.now() - (await lstat(path)).mtimeMs > SILENT_AFTER_MS;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw storageError(error, `cannot read ${path}`);
  }
}

function isRunning(process: number): boolean {
  try {
    return kill(process, 0);
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** Takes an abandoned lock away; one that was made meanwhile in its place is put back. */
async function takeAside(path: string, holder: Holder | undefined): Promise<void> {
  const aside = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await rename(path, aside);
    if ((await readHolder(aside))?.id !== holder?.id) await link(aside, path);
    await rm(aside, { force: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw storageError(error, `cannot lock ${path}`);
    await rm(aside, { force: true });
  }
}

/** Shows that the holder lives; where that fails, the lock is gone or only looks older than it is. */
async function touch({ clock }: Runtime, path: string): Promise<void> {
  const seconds = clock.now() / 1000;
  await utimes(path, seconds, seconds).catch(() => undefined);
}

/** A machine since it was started, or a container on it: within one, process numbers are unique. */
async function machineName(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const processes = await readlink('/proc/self/ns/pid').catch(() => '');
  return [hostname(), boot.trim(), processes].join(' ').trim();
}
