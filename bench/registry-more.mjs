// What pkg alone is asked in the registry benchmark: a large file, a second name, one file out of many.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { measureCommand } from './measure.mjs';
import { PACKAGE, pkgCommand } from './registry-contestants.mjs';
import { replaceFolder, writeLargeFile } from './registry-data.mjs';

const INSERTED_BYTES = 1024;

/**
 * Counts of each, through the proxy, with what the process took: `{ largeBytes, large, inserted, secondName,
 * oneFile }`, all but the first `{ counts, run }`. Only `inserted` begins with something kept locally.
 */
export async function measureMore(
  context,
  { server, url, folder, data },
  { proxy, files, largeBytes },
) {
  const state = { folder: join(folder, 'more'), url, bucket: 'more' };
  const source = join(state.folder, 'large');
  mkdirSync(source, { recursive: true });
  await server.makeBucket(state.bucket);
  await proxy.counts();
  const count = async (home, args) => {
    const run = measureCommand(context.python, pkgCommand(state, home, args));
    return { counts: await proxy.counts(), run };
  };

  writeLargeFile(join(source, 'large.bin'), largeBytes, 0);
  const pushLarge = ['push', 'bench/large', '--dir', source];
  const large = await count('large-pusher', pushLarge);
  writeLargeFile(join(source, 'large.bin'), largeBytes, INSERTED_BYTES);
  const inserted = await count('large-pusher', pushLarge);

  replaceFolder(files.original, data);
  await count('first', ['push', PACKAGE, '--dir', data]);
  const secondName = await count('second', ['push', `${PACKAGE}-again`, '--dir', data]);
  const dest = ['--dest', join(state.folder, 'one')];
  const oneFile = await count('installer', ['install', PACKAGE, files.one, ...dest]);
  return { largeBytes, large, inserted, secondName, oneFile };
}
