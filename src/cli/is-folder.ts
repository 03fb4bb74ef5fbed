/** Whether an argument is a folder that is there. */
import { stat } from 'node:fs/promises';

/** Whether there is a folder at `path`; false too where nothing can be told of it. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
