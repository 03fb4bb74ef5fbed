/** Training gives the same bits on any number of threads, every Node, another engine, and arm64. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { kernelNumber } from '../../src/engine/kernels.ts';
import { describeWith, ROOT } from '../support/shared.ts';

interface Report {
  /** Of the small networks, and of the article's after 2 and after 20 iterations. */
  readonly digests: Readonly<Record<string, string>>;
  /** Numbers of all kernels that took part. */
  readonly kernels: readonly number[];
  readonly runtime: string;
}

const FOLDER = join(ROOT, 'test/portability');

/** Written by `node scripts/test-portability.mjs --update` alone, after a change of the kernels. */
const GOLDEN = JSON.parse(readFileSync(join(FOLDER, 'golden.json'), 'utf8')) as Report['digests'];

async function train(binary: string, iterations: number, threads: number): Promise<Report> {
  const args = [join(FOLDER, 'train-digest.mjs'), String(iterations), String(threads)];
  const { stdout } = await promisify(execFile)(binary, args);
  return JSON.parse(stdout) as Report;
}

describe('the weights after 20 iterations', () => {
  it.each([1, 2, 3, 4])('have the golden digest with %i threads', async (threads) => {
    const { digests } = await train(process.execPath, 20, threads);
    expect(digests).toEqual(GOLDEN);
  });

  it('come of networks that pass through every kernel', async () => {
    const { kernels } = await train(process.execPath, 0, 1);
    const all = Array.from({ length: kernelNumber('update') + 1 }, (_, number) => number);
    expect(kernels).toEqual(all);
  });
});

const nodes = (process.env['PKG_NODE_BINARIES'] ?? '').split(':').filter((path) => path !== '');

describeWith('other versions of Node', nodes[0])('the weights on another Node', () => {
  it.each(nodes)('have the golden digest on %s', async (node) => {
    const { digests } = await train(node, 20, 2);
    expect(digests).toEqual(GOLDEN);
  });
});

const bun = process.env['PKG_BUN_BINARY'] ?? '';

describeWith('Bun', bun)('the weights under JavaScriptCore', () => {
  it('have the golden digest', async () => {
    const { digests, runtime } = await train(bun, 20, 2);
    expect(runtime).toContain('bun');
    expect(digests).toEqual(GOLDEN);
  });
});

const arm64 = process.env['PKG_ARM64_NODE'] ?? '';

describeWith('Node for arm64', arm64)('the weights on arm64', () => {
  it('have the golden digest after 2 iterations', async () => {
    const { digests, runtime } = await train(arm64, 2, 2);
    expect(runtime).toContain('arm64');
    expect(digests).toEqual({ small: GOLDEN['small'], article2: GOLDEN['article2'] });
  });
});
