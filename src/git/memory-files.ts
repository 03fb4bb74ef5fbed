/** Files in memory: where a fetched repository lives, so that no server's names come near a disk. */
import { systemErrorCode } from '../runtime/errors.ts';
import type { ObjectFolder } from './objects.ts';

/** The part of `node:fs` promises that isomorphic-git uses. */
export interface GitFiles {
  readonly promises: {
    readFile(path: string, options?: unknown): Promise<Buffer | string>;
    writeFile(path: string, data: Uint8Array | string): Promise<void>;
    unlink(path: string): Promise<void>;
    readdir(path: string): Promise<string[]>;
    mkdir(path: string): Promise<void>;
    rmdir(path: string): Promise<void>;
    stat(path: string): Promise<object>;
    lstat(path: string): Promise<object>;
    readlink(path: string): Promise<string>;
    symlink(target: string, path: string): Promise<void>;
  };
}

/** Files below `/`; `onWrite` sees each before it is kept. Folders are there when something is in them. */
export function memoryFiles(onWrite: (path: string, data: Uint8Array) => void): GitFiles {
  const files = new Map<string, Buffer>();
  const folders = new Map<string, Set<string>>();
  const addToFolder = (path: string) => {
    for (let child = path; child.includes('/'); child = child.slice(0, child.lastIndexOf('/'))) {
      const folder = child.slice(0, child.lastIndexOf('/'));
      const names = folders.get(folder) ?? new Set();
      folders.set(folder, names.add(child.slice(folder.length + 1)));
    }
  };
  const stat = async (path: string): Promise<object> => {
    const data = files.get(path);
    await Promise.resolve();
    if (data === undefined && !folders.has(path)) throw systemError('ENOENT', path);
    return {
      isFile: () => data !== undefined,
      isDirectory: () => data === undefined,
      isSymbolicLink: () => false,
      size: data?.length ?? 0,
      mode: 0o100644,
    };
  };
  return {
    promises: {
      async readFile(path, options) {
        await Promise.resolve();
        const data = files.get(path);
        if (data === undefined) throw systemError('ENOENT', path);
        return wantsText(options) ? data.toString('utf8') : data;
      },
      async writeFile(path, data) {
        await Promise.resolve();
        const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data);
        onWrite(path, bytes);
        files.set(path, bytes);
        addToFolder(path);
      },
      async unlink(path) {
        await Promise.resolve();
        if (!files.delete(path)) throw systemError('ENOENT', path);
      },
      readdir: async (path) => await Promise.resolve([...(folders.get(path) ?? [])]),
      mkdir: () => Promise.resolve(),
      rmdir: () => Promise.resolve(),
      stat,
      lstat: stat,
      readlink: (path) => Promise.reject(systemError('EINVAL', path)),
      symlink: (_target, path) => Promise.reject(systemError('EPERM', path)),
    },
  };
}

/** A folder of objects among files in memory. */
export function memoryObjectFolder(files: GitFiles, folder: string): ObjectFolder {
  const readFile = async (path: string): Promise<Buffer | undefined> => {
    try {
      const data = await files.promises.readFile(`${folder}/${path}`);
      return Buffer.isBuffer(data) ? data : Buffer.from(data);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  };
  return {
    readFile,
    list: (path) => files.promises.readdir(`${folder}/${path}`),
    async open(path) {
      const bytes = await readFile(path);
      if (bytes === undefined) return undefined;
      const read = (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));
      return { read, sizeBytes: bytes.length };
    },
  };
}

/** Whether a `readFile` asks for text: an encoding by itself or among its options. */
export function wantsText(options: unknown): boolean {
  if (typeof options === 'string') return true;
  return (
    typeof options === 'object' &&
    options !== null &&
    'encoding' in options &&
    typeof options.encoding === 'string'
  );
}

/** An error as the file system would give it. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
