// What pkg takes for a package of a million entries, whose bytes are made up: pushing its list, a second
// revision, and reading them.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { measureCommand } from './measure.mjs';
import { pkgCommand } from './registry-contestants.mjs';

const CHILD = join(import.meta.dirname, 'pkg-million.mjs');
const NAME = 'bench/million';
const ONE = 'images/000/00000001.jpg';

/**
 * Counts of each, through the proxy, with what the process took: `{ entries, pushList, ... }`, all but the
 * first `{ counts, run }`.
 */
export async function measureMillion(context, { server, url, folder }, { proxy, entries }) {
  const state = { folder: join(folder, 'million'), url, bucket: 'million' };
  mkdirSync(state.folder);
  await server.makeBucket(state.bucket);
  const count = async (command) => {
    const run = measureCommand(context.python, command);
    return { counts: await proxy.counts(), run };
  };
  const make = (home, work) => {
    const { env, cwd } = pkgCommand(state, home, []);
    const args = [
      work,
      `s3://${state.bucket}`,
      url,
      join(state.folder, home, 'store'),
      String(entries),
    ];
    return { command: [process.execPath, CHILD, ...args], cwd, env };
  };
  const read = (home, args) => pkgCommand(state, home, args);

  const installOne = ['install', NAME, ONE, '--dry-run', '--dest', join(state.folder, 'one')];
  measureCommand(context.python, make('pusher', 'index'));
  await proxy.counts();
  const pushList = await count(make('pusher', 'push'));
  const list = await count(read('reader', ['ls', NAME]));
  const show = await count(read('reader', ['show', NAME]));
  const planOne = await count(read('installer', installOne));
  const pushDelta = await count(make('pusher', 'push-changed'));
  const showDelta = await count(read('reader', ['show', NAME]));
  const planDelta = await count(read('installer', installOne));
  return { entries, pushList, list, show, planOne, pushDelta, showDelta, planDelta };
}
