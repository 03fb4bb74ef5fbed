/** Files of the user's: digests that notice every edit, and writes that are whole or absent. */
import {
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/runtime.ts';
import {
  readTextIfPresent,
  withTemporaryFile,
  writeChunks,
  writeFileAtomic,
} from '../../src/store/atomic-file.ts';
import { describe as descriptorOf, digestOf, fileBytes } from '../../src/store/digest.ts';
import { describeLocalFile } from '../../src/store/local-file.ts';
import { Store } from '../../src/store/store.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** A runtime by whose clock every file was touched long ago. */
function laterRuntime() {
  return testRuntime({ clock: { ...systemClock, now: () => Date.now() + 60_000 } });
}

/** The disk's clock ticks every few milliseconds only. */
const tick = () => new Promise((later) => setTimeout(later, 30));

async function setUp(content: string) {
  const folder = await temporaryFolder();
  const path = join(folder, 'file');
  await writeFile(path, content);
  return { path, store: new Store(join(folder, 'store')) };
}

describe('describeLocalFile', () => {
  it('tells digest and size, and remembers them while the file is not touched', async () => {
    const { path, store } = await setUp('hello');
    const runtime = laterRuntime();
    expect(await describeLocalFile(runtime, store, path)).toEqual(descriptorOf('hello'));
    const key = digestOf(path);
    const record = (await store.findRecord('files', key)) as Record<string, string>;
    await store.writeRecord('files', key, { ...record, digest: digestOf('remembered') });
    const again = await describeLocalFile(runtime, store, path);
    expect(again.digest).toBe(digestOf('remembered'));
  });

  it('notices an edit that keeps the size', async () => {
    const { path, store } = await setUp('hello');
    const runtime = laterRuntime();
    await describeLocalFile(runtime, store, path);
    await tick();
    await writeFile(path, 'jello');
    expect(await describeLocalFile(runtime, store, path)).toEqual(descriptorOf('jello'));
  });

  it('notices an edit that keeps the size and puts the time back', async () => {
    const { path, store } = await setUp('hello');
    const runtime = laterRuntime();
    await describeLocalFile(runtime, store, path);
    const { atime, mtime } = await stat(path);
    await tick();
    await writeFile(path, 'jello');
    await utimes(path, atime, mtime);
    expect(await describeLocalFile(runtime, store, path)).toEqual(descriptorOf('jello'));
  });

  it('notices another file moved into its place, of the same size and time', async () => {
    const { path, store } = await setUp('hello');
    const runtime = laterRuntime();
    await describeLocalFile(runtime, store, path);
    const { atime, mtime } = await stat(path);
    await writeFile(`${path}.new`, 'jello');
    await utimes(`${path}.new`, atime, mtime);
    await rename(`${path}.new`, path);
    expect(await describeLocalFile(runtime, store, path)).toEqual(descriptorOf('jello'));
  });

  it('does not remember a file that was touched a moment ago', async () => {
    const { path, store } = await setUp('hello');
    await describeLocalFile(testRuntime(), store, path);
    expect(await store.findRecord('files', digestOf(path))).toBeUndefined();
  });

  it('says which file is not there or is no file', async () => {
    const { path, store } = await setUp('hello');
    for (const wrong of [`${path}-absent`, join(path, 'below'), join(path, '..')]) {
      const work = describeLocalFile(testRuntime(), store, wrong);
      await expect(work).rejects.toMatchObject({ code: 'unreachable' });
    }
  });
});

describe('writeFileAtomic', () => {
  it('makes the folder and replaces what is there, leaving nothing else behind', async () => {
    const folder = join(await temporaryFolder(), 'new/folder');
    const path = join(folder, 'file');
    await writeFileAtomic(path, 'one');
    await writeFileAtomic(path, Buffer.from('two'));
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('shows readers the old content or the new one, never a part', async () => {
    const path = join(await temporaryFolder(), 'file');
    const contents = ['a', 'b'].map((letter) => letter.repeat(300_000));
    await writeFileAtomic(path, contents[0] ?? '');
    const state = { writing: true };
    const writes = (async () => {
      for (let round = 0; round < 20; round++)
        await writeFileAtomic(path, contents[round % 2] ?? '');
      state.writing = false;
    })();
    const seen = new Set<boolean>();
    while (state.writing) seen.add(contents.includes(await readFile(path, 'utf8')));
    await writes;
    expect([...seen]).toEqual([true]);
  });

  it('replaces a link instead of writing through it', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'target'), 'untouched');
    await symlink('target', join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), 'new');
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('untouched');
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('new');
  });

  it('keeps what is there where it cannot write, and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'taken/inside'), { recursive: true });
    await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toThrow();
    await writeFile(join(folder, 'file'), '');
    const below = writeFileAtomic(join(folder, 'file/below'), 'x');
    await expect(below).rejects.toMatchObject({ code: 'storage' });
    expect((await readdir(folder)).sort()).toEqual(['file', 'taken']);
  });
});

describe('withTemporaryFile', () => {
  it('removes what was written when the work fails', async () => {
    const folder = await temporaryFolder();
    const work = withTemporaryFile(folder, async (path) => {
      await writeChunks(path, [Buffer.from('half')]);
      throw new Error('broke off');
    });
    await expect(work).rejects.toThrow('broke off');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('reading', () => {
  it('gives the asked range of a file, its end excluded', async () => {
    const { path } = await setUp('0123456789');
    const read = async (range?: { start: number; end?: number }) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of fileBytes(path, testRuntime().signal, range)) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    expect(await read()).toBe('0123456789');
    expect(await read({ start: 3 })).toBe('3456789');
    expect(await read({ start: 3, end: 5 })).toBe('34');
    expect(await read({ start: 0, end: 0 })).toBe('');
    expect(await read({ start: 10, end: 20 })).toBe('');
  });

  it('tells an absent text file from an empty one', async () => {
    const { path } = await setUp('');
    expect(await readTextIfPresent(path)).toBe('');
    expect(await readTextIfPresent(`${path}-absent`)).toBeUndefined();
    expect(await readTextIfPresent(join(path, 'below'))).toBeUndefined();
  });
});
