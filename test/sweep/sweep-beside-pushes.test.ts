/** Processes that push, remove and sweep one registry at once: nothing that was pushed is lost. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { POLICIES } from '../../src/objects/settings.ts';
import { readHistory } from '../../src/registry/revisions.ts';
import { transpiledLibrary } from '../support/transpiled.ts';
import { expectWhole, sweep, sweptFolder } from './swept-registries.ts';

const PUSHERS = 3;
const PUSHES = 6;

/** Pushes some of twelve files again and again, and removes its revision before the last one. */
const PUSHER = `
import { createHash } from 'node:crypto';
import { fileEntry, packageOf } from './package/package.js';
import { describeContent } from './package/object-hash.js';
import { pushPackage } from './registry/push.js';
import { parseReference } from './registry/reference.js';
import { createRuntime } from './runtime/runtime.js';
import { DirectoryStorage } from './storage/directory.js';
import { streamOf } from './store/digest.js';
import { removeRevision } from './sweep/removal.js';

const [folder, name, pushes] = process.argv.slice(2);
const runtime = createRuntime();
const registry = new DirectoryStorage(runtime, folder);
const contentOf = (number) => Buffer.from((number + ' ').repeat(200));
let before;
for (let round = 0; round < Number(pushes); round++) {
  const entries = [];
  const contents = new Map();
  for (let number = 0; number < 12; number++) {
    if (Math.random() < 0.5) continue;
    const data = contentOf(number);
    const content = await describeContent(streamOf(data), data.length);
    contents.set(content.digest, data);
    entries.push(fileEntry('f/' + number, '/nowhere', content));
  }
  const pkg = packageOf(new Map([['version', 'v0'], ['message', name + round]]), entries);
  const open = (digest, { start, end }) => streamOf(contents.get(digest).subarray(start, end));
  const { topHash } = await pushPackage(runtime, registry, pkg, { name, open, tag: undefined });
  console.log(JSON.stringify({ topHash, keys: entries.map((entry) => entry.logicalKey) }));
  if (before !== undefined) {
    const reference = parseReference(name + '@' + before);
    await removeRevision(runtime, registry, reference, { force: true, mode: 'remove' });
  }
  before = topHash;
  // A sweep begins only while nobody pushes.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
}
`;

/** Sweeps without any grace until it is told to stop, and at least once. */
const SWEEPER = `
import { createRuntime } from './runtime/runtime.js';
import { DirectoryStorage } from './storage/directory.js';
import { sweepRegistry } from './sweep/sweep.js';

const runtime = createRuntime();
const registry = new DirectoryStorage(runtime, process.argv[2]);
let isOver = false;
process.stdin.on('data', () => (isOver = true));
let [swept, refused] = [0, 0];
while (!isOver || swept === 0) {
  try {
    await sweepRegistry(runtime, registry, { mode: 'remove', graceMs: 0 });
    swept++;
  } catch (error) {
    if (error.code !== 'conflict') throw error;
    refused++;
  }
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
}
console.log(JSON.stringify({ swept, refused }));
process.stdin.destroy();
`;

interface Child {
  readonly stop: () => void;
  readonly lines: Promise<readonly unknown[]>;
}

function start(script: string, parameters: readonly string[]): Child {
  const child = spawn(process.execPath, [script, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const lines = new Promise<readonly unknown[]>((resolve, reject) => {
    child.once('close', (code) => {
      if (code !== 0) reject(new Error(`${script} ended with ${String(code)}`));
      else
        resolve(
          text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
        );
    });
  });
  return { stop: () => void child.stdin.end('stop'), lines };
}

it.each(POLICIES)('sweeps beside pushes lose nothing under the policy %s', async (policy) => {
  const library = await transpiledLibrary();
  const { folder, registry } = await sweptFolder(policy);
  await writeFile(join(library, 'pusher.js'), PUSHER);
  await writeFile(join(library, 'sweeper.js'), SWEEPER);
  const sweeper = start(join(library, 'sweeper.js'), [folder]);
  const names = Array.from({ length: PUSHERS }, (_, index) => `user/name-${String(index)}`);
  const pushers = names.map((name) =>
    start(join(library, 'pusher.js'), [folder, name, String(PUSHES)]),
  );
  const pushed = await Promise.all(pushers.map(async ({ lines }) => await lines));
  sweeper.stop();
  const [tally] = (await sweeper.lines) as readonly { swept: number }[];
  expect(tally?.swept).toBeGreaterThan(0);
  for (const [index, name] of names.entries()) {
    const last = pushed[index]?.at(-1) as { topHash: string; keys: readonly string[] };
    const [revision, ...others] = await readHistory(registry, name);
    expect(others).toEqual([]);
    expect(revision?.topHash).toBe(last.topHash);
    const files = last.keys.map((key) => [key, `${key.slice(2)} `.repeat(200)] as const);
    if (revision !== undefined) {
      await expectWhole(registry, revision.topHash, Object.fromEntries(files));
    }
  }
  await sweep(registry);
});
