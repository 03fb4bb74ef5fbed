/** What model code cannot do: reach a network, a file, a process or a thread. */
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testRuntime } from '../support/runtime.ts';
import { describeWith, ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { transpiledLibrary } from '../support/transpiled.ts';
import { ATTACKS, attackModule, SMALL_MODULE } from './attacks.ts';
import { codeFolder, withModel } from './code.ts';
import { LEAKS } from './leaks.ts';

/** Said line by line, of which there may be a hundred. */
const TRIALS = [ATTACKS, LEAKS] as const;

const filesOf = (attacks: Readonly<Record<string, string>>) => ({
  'model.mjs': attackModule(attacks),
  'small.mjs': SMALL_MODULE,
  'addon.node': 'no addon',
  'own.txt': 'own',
});

/** Modes in which a sandbox runs: with what the system adds to Node's walls, or without. */
const WALLS = ['all', 'node'] as const;

/** A server that counts who reaches it. */
async function openServer() {
  let visits = 0;
  const server = createServer((_, response) => response.end());
  server.on('connection', () => (visits += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    visits: () => visits,
    close: async () => await new Promise((resolve) => server.close(resolve)),
  };
}

let server: Awaited<ReturnType<typeof openServer>>;
let outside: string;

beforeAll(async () => {
  server = await openServer();
  outside = await temporaryFolder();
  await writeFile(join(outside, 'secret.txt'), 'secret');
  await writeFile(join(outside, 'secret.cjs'), 'module.exports = 1;');
  const hidden = { name: 'hidden', main: './main.js', exports: { './sub': './secret.cjs' } };
  const described = { ...hidden, imports: { '#hidden': './secret.cjs' } };
  await writeFile(join(outside, 'package.json'), JSON.stringify(described));
});

afterAll(async () => {
  await server.close();
});

const params = () => ({
  port: server.port,
  secret: join(outside, 'secret.txt'),
  secretModule: join(outside, 'secret.cjs'),
});

/** Every attack was made, and none of them did what it was to do. */
function expectHeld(endings: readonly string[], attacks: object): void {
  const names = endings.map((line) => line.replace(/^model\.mjs: /, '').split(': ', 1)[0]);
  const expected = Object.keys(attacks).map((name) => name.split(': ', 1)[0]);
  expect(names).toEqual(expected);
  expect(endings.filter((line) => line.endsWith(': DONE'))).toEqual([]);
  expect(server.visits()).toBe(0);
}

describe.each(WALLS)('behind the walls: %s', (walls) => {
  it.each(TRIALS)('model code can do nothing of what it tries: %#', async (attacks) => {
    const runtime = testRuntime();
    const run = { entry: 'model.mjs', files: filesOf(attacks), params: params(), runtime, walls };
    await withModel(run, async (model) => {
      expect(model.kind.layers).toBe(2);
      await Promise.resolve();
    });
    const said = runtime.events.flatMap((event) => (event.kind === 'noted' ? [event.message] : []));
    expectHeld(said, attacks);
  });
});

const nodes = (process.env['PKG_NODE_BINARIES'] ?? '').split(':').filter((path) => path !== '');

/** Makes a model on whichever Node runs it, and prints what it says. */
const RUNNER = `
import { join } from 'node:path';
import { createRuntime } from './runtime/runtime.js';
import { DEFAULT_LIMITS } from './sandbox/limits.js';
import { createModel } from './sandbox/model-process.js';
import { openSandbox } from './sandbox/sandbox.js';

const { folder, params, walls } = JSON.parse(process.argv[2]);
const runtime = createRuntime({ report: ({ message }) => message && console.log(message) });
const options = { name: 'model.mjs', folder, seed: [1, 2, 3, 4], limits: DEFAULT_LIMITS };
const given = walls === 'node' ? { command: [], hasNoNetwork: true } : undefined;
const sandbox = await openSandbox(runtime, options, given);
try {
  const context = { ...options, sandbox };
  const source = { kind: 'entry', entry: join(folder, 'model.mjs'), classes: ['A', 'B'], params };
  const input = { heightPx: 8, widthPx: 6 };
  await createModel(context, { source, input, optimizer: { kind: 'sgd', momentum: 0 } });
} finally {
  await sandbox.close();
}
`;

describeWith('other versions of Node', nodes[0])('on another Node', () => {
  let library: string;
  beforeAll(async () => {
    library = await transpiledLibrary();
    const child = join(library, 'sandbox', 'child');
    await mkdir(child, { recursive: true });
    await cp(join(ROOT, 'src', 'sandbox', 'child'), child, { recursive: true });
    await writeFile(join(library, 'runner.js'), RUNNER);
  });

  it.each(nodes.flatMap((node) => WALLS.map((walls) => [node, walls] as const)))(
    'model code can do as little: %s, %s',
    async (node, walls) => {
      for (const attacks of TRIALS) {
        const folder = await codeFolder(filesOf(attacks));
        const settings = JSON.stringify({ folder, params: { ...params(), folder }, walls });
        const runner = pathToFileURL(join(library, 'runner.js')).pathname;
        const { stdout } = await promisify(execFile)(node, [runner, settings]);
        expectHeld(stdout.trimEnd().split('\n'), attacks);
      }
    },
  );
});
