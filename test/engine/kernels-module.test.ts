/** The compiled kernels: no instruction whose result a processor may choose, and no memory of their own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { kernelNumber } from '../../src/engine/kernels.ts';
import { FIRST_FREE } from '../../src/engine/machine.ts';
import { ROOT } from '../support/shared.ts';
import { readWasm, type WasmModule } from './read-wasm.ts';

const text = async (path: string): Promise<string> => await readFile(join(ROOT, path), 'utf8');

/** Vector instructions that give the same bits on every processor end here; relaxed ones follow. */
const FIRST_RELAXED = 0x100;

describe('kernels.wasm', () => {
  let module: WasmModule;

  beforeAll(async () => {
    module = readWasm(await readFile(join(ROOT, 'src/engine/kernels.wasm')));
  });

  it('has vector and atomic instructions, and none of relaxed SIMD', () => {
    const { vector, atomic } = module;
    expect(vector.size).toBeGreaterThan(20);
    expect(atomic.size).toBeGreaterThan(3);
    expect([...vector].filter((code) => code >= FIRST_RELAXED)).toEqual([]);
  });

  it('has no data, no memory and no code that runs by itself', () => {
    expect(module.sections).not.toContain('data');
    expect(module.sections).not.toContain('data count');
    expect(module.sections).not.toContain('memory');
    expect(module.sections).not.toContain('start');
  });

  it('imports a shared memory and nothing else', () => {
    expect(module.imports).toEqual(['env.memory: shared memory']);
  });

  it('exports programs and mathematics', () => {
    expect(module.exports).toEqual(expect.arrayContaining(['run', 'work', 'exponential']));
  });
});

describe('the sources of the kernels and of the engine agree', () => {
  it('on the number of each kernel', async () => {
    const names = /const KERNEL_NAMES = \[([^\]]*)\]/.exec(await text('src/engine/kernels.ts'));
    const listed = [...(names?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, name]) => name);
    const cases = (await text('kernels/index.ts')).matchAll(
      /case (\d+):\s*return (\w+)\(([^;]*)\);/g,
    );
    const dispatched = [...cases].map(([, number, name = '', args = '']) => ({
      number: Number(number),
      // One kernel is two, told apart by its last argument.
      name: args.endsWith('true') ? `${name}Squares` : name,
    }));
    expect(dispatched.map(({ name }) => name)).toEqual(listed);
    expect(dispatched.map(({ number }) => number)).toEqual([...listed.keys()]);
    expect(listed.length).toBeGreaterThan(30);
    expect(kernelNumber('update')).toBe(listed.indexOf('update'));
  });

  it('on where control words stand', async () => {
    const words = (source: string) =>
      new Map(
        [...source.matchAll(/^(?:export )?const ([A-Z_]+)(?:: usize)? = ([\d_]+);/gm)].map(
          ([, name = '', value = '']) => [name, Number(value.replaceAll('_', ''))] as const,
        ),
      );
    const kernels = words(await text('kernels/memory.ts'));
    const machine = words(await text('src/engine/machine.ts'));
    machine.delete('FIRST_FREE');
    expect(machine.size).toBeGreaterThan(5);
    for (const [name, address] of machine)
      expect([name, kernels.get(name)]).toEqual([name, address]);
    const addresses = [...kernels.values()];
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(Math.max(...addresses)).toBeLessThan(FIRST_FREE);
  });
});
