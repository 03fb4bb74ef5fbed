/** Photos to predict: which ones some paths stand for, which boxes of them, and their bytes. */
import { readdir, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes } from '../store/digest.ts';
import { type BoxTask, readBoxes } from './boxes.ts';

/** A photo, or what was named as one; all of it unless there are boxes. */
export interface PhotoTask {
  readonly photo: string;
  readonly boxes?: readonly BoxTask[];
  /** Why it is known already that nothing can be said. */
  readonly problem?: string;
}

/** No photo's file is larger; 100 megapixels uncompressed are 300 MB. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

const PICTURE_NAME = /\.(?:jpe?g|png|webp|avif|gif|tiff?)$/i;

/**
 * The photos that paths stand for, in their order: a file for itself, a folder for the pictures in it
 * but not in folders below, by name in code unit order; names that begin with a dot are left out. With
 * a table of boxes, only photos that have one, which is found by the file's name without extension, the
 * ImageID; what is left out on either side is counted in a warning.
 * @throws PkgError `not-found` where no photo has a box, and as `readBoxes`.
 */
export async function planPhotos(
  runtime: Runtime,
  paths: readonly string[],
  boxesFile?: string,
): Promise<readonly PhotoTask[]> {
  const tasks: PhotoTask[] = [];
  for (const path of paths) tasks.push(...(await tasksAt(path)));
  if (boxesFile === undefined) return tasks;
  const wanted = new Set(tasks.map(imageIdOf));
  const { boxes, others } = await readBoxes(runtime, boxesFile, wanted);
  const boxed = tasks.flatMap((task): PhotoTask[] => {
    const own = boxes.get(imageIdOf(task));
    if (task.problem !== undefined) return [task];
    return own === undefined ? [] : [{ ...task, boxes: own }];
  });
  if (boxes.size === 0) {
    throw new PkgError('not-found', `${boxesFile} has no box of any of the photos`, {
      hint: 'Boxes are found by ImageID, which is the file name of the photo without extension.',
    });
  }
  const warn = (count: number, what: string) => {
    if (count > 0)
      runtime.report({ kind: 'warned', message: `left out: ${String(count)} ${what}` });
  };
  warn(tasks.length - boxed.length, `of the photos, which have no box in ${boxesFile}`);
  warn(others, `of the boxes in ${boxesFile}, whose photos were not given`);
  return boxed;
}

/** A photo's file as it is. Throws PkgError with a message that the photo's name goes before. */
export async function describePhoto(photo: string): Promise<{ readonly sizeBytes: number }> {
  const found = await readable(() => stat(photo));
  if (!found.isFile()) throw new PkgError('storage', 'it is no regular file');
  if (found.size > MAX_FILE_BYTES) throw new PkgError('storage', 'the file is larger than 512 MiB');
  return { sizeBytes: found.size };
}

/** At most so many of a photo's bytes; throws as `describePhoto`. */
export async function readPhoto(
  { signal }: Runtime,
  photo: string,
  sizeBytes: number,
): Promise<Buffer> {
  return await readable(async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of fileBytes(photo, signal, { start: 0, end: sizeBytes })) {
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  });
}

async function tasksAt(path: string): Promise<readonly PhotoTask[]> {
  try {
    if (!(await readable(() => stat(path))).isDirectory()) return [{ photo: path }];
    const names = await readable(() => readdir(path));
    const pictures = names.filter((name) => PICTURE_NAME.test(name) && !name.startsWith('.'));
    if (pictures.length > 0) return pictures.sort().map((name) => ({ photo: join(path, name) }));
    return [{ photo: path, problem: 'the folder holds no pictures itself' }];
  } catch (error) {
    if (!(error instanceof PkgError)) throw error;
    return [{ photo: path, problem: error.message }];
  }
}

function imageIdOf({ photo }: PhotoTask): string {
  return parse(photo).name;
}

/** Turns what the system says into a sentence. */
async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined || code === 'ABORT_ERR' || error instanceof PkgError) throw error;
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
    const why = isAbsent ? 'there is no such file' : `it cannot be read (${code})`;
    throw new PkgError(isAbsent ? 'not-found' : 'storage', why, { cause: error });
  }
}
