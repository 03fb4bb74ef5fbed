/** The process of a sandbox: what it is given, and that it does not outlive whoever started it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatMessage } from '../../src/sandbox/messages.ts';
import { commandOf, findSystemWalls, findTensorflow } from '../../src/sandbox/walls.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { codeFolder, INPUT } from './code.ts';

const MEMORY = { memoryBytes: 2 ** 30 };

describe('the command of a sandbox', () => {
  it('gives rights to read what is named and TensorFlow.js, and no other', async () => {
    const folder = await realpath(await temporaryFolder());
    const { args } = await commandOf(
      { readable: [folder], ...MEMORY },
      { command: [], hasNoNetwork: false },
    );
    const allowed = args.filter((arg) => arg.startsWith('--allow-'));
    expect(allowed.every((arg) => arg.startsWith('--allow-fs-read='))).toBe(true);
    expect(allowed).toContain(`--allow-fs-read=${folder}`);
    const others = allowed.filter(
      (arg) => !/node_modules\/(@tensorflow\/[a-z-]+|seedrandom)$/.test(arg),
    );
    expect(others).toHaveLength(2);
    expect(args.filter((arg) => /^--(experimental-)?permission$/.test(arg))).toHaveLength(1);
  });

  it.each(['star*', 'comma,comma'])(
    'refuses a folder that Node would read otherwise: %s',
    async (name) => {
      const folder = join(await temporaryFolder(), name);
      await mkdir(folder);
      const work = commandOf(
        { readable: [folder], ...MEMORY },
        { command: [], hasNoNetwork: false },
      );
      await expect(work).rejects.toMatchObject({ code: 'usage' });
    },
  );
});

/** Starts a sandbox as its parent would, prints its process id, and sends it a request if there is one. */
const PARENT = `
import { spawn } from 'node:child_process';
const { file, args, request } = JSON.parse(process.argv[2]);
const child = spawn(file, args, { env: {}, detached: true, stdio: ['pipe', 'ignore', 'ignore', 'pipe'] });
if (request !== '') child.stdin.write(Buffer.from(request, 'base64'));
// An answer says that it is up; code that loops gives none, so its loading is all there is to wait for.
console.log(child.pid);
setInterval(() => {}, 1000);
`;

/** Whether the process is there; a dead one that nobody asked for its end does not count. */
async function isAlive(pid: number): Promise<boolean> {
  const child = spawn('ps', ['-o', 'stat=', '-p', String(pid)]);
  let state = '';
  child.stdout.on('data', (chunk: Buffer) => (state += chunk.toString('utf8')));
  await once(child, 'close');
  return state.trim() !== '' && !state.startsWith('Z');
}

async function endsWithItsParent(request: string): Promise<void> {
  const folder = await codeFolder({
    'model.js': 'exports.createModel = () => { for (;;); };',
    'parent.mjs': PARENT,
  });
  const { file, args } = await commandOf(
    { readable: [folder], ...MEMORY },
    await findSystemWalls(),
  );
  const settings = JSON.stringify({ packages: findTensorflow(), seed: [1, 2, 3, 4] });
  const command = JSON.stringify({
    file,
    args: [...args, settings],
    request: request && requestFor(folder),
  });
  const parent = spawn(process.execPath, [join(folder, 'parent.mjs'), command]);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString('utf8'));
  // Long enough for the code to be in its loop.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(await isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'close');
  while (await isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
}

function requestFor(folder: string): string {
  const entry = join(folder, 'model.js');
  const model = { entry, input: INPUT, classes: ['A', 'B'], params: {} };
  const optimizer = { kind: 'sgd', momentum: 0, nesterov: false };
  return Buffer.concat(formatMessage({ kind: 'create', model, optimizer })).toString('base64');
}

describe('a sandbox whose parent is killed', () => {
  it('ends where it waits for a request', async () => {
    await endsWithItsParent('');
  });
});

const walls = await findSystemWalls();

describeWith('setpriv', walls.command.includes('setpriv') ? process.execPath : undefined)(
  'a sandbox whose parent is killed, where the system helps',
  () => {
    it('ends in the middle of a loop', async () => {
      await endsWithItsParent('loop');
    });
  },
);
