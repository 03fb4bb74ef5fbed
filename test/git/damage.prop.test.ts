/** Repositories with damaged files: an object is what its id says, or a sentence says that it is not. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyDelta } from '../../src/git/delta.ts';
import { parseIndex } from '../../src/git/index-file.ts';
import { type ObjectFolder, objectId, openObjects } from '../../src/git/objects.ts';
import { checkPack } from '../../src/git/pack-limits.ts';
import { parseRevision } from '../../src/git/revision.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { commitVersions, git, repositoryOf } from './git-repositories.ts';

let pack: Buffer;
let index: Buffer;
let ids: readonly string[];
const indexFiles: Buffer[] = [];

beforeAll(async () => {
  const { folder } = await repositoryOf({
    'a.txt': { content: 'one\n'.repeat(300) },
    'b/c.txt': { content: 'two\n' },
  });
  for (const version of ['2', '4']) {
    await git(folder, 'update-index', '--index-version', version);
    indexFiles.push(await readFile(join(folder, '.git', 'index')));
  }
  const versions = ['x', 'y', 'z'].map((end) => `${'one\n'.repeat(300)}${end}`);
  await commitVersions(folder, 'a.txt', versions);
  await git(folder, 'repack', '-adfq', '--depth=10');
  const packs = join(folder, '.git', 'objects', 'pack');
  for (const name of await readdir(packs)) {
    if (name.endsWith('.pack')) pack = await readFile(join(packs, name));
    if (name.endsWith('.idx')) index = await readFile(join(packs, name));
  }
  const listed = await git(folder, 'rev-list', '--all', '--objects');
  ids = listed.split('\n').map((line) => line.slice(0, 40));
});

/** A folder with one pack; `change` damages the bytes of its files. */
function folderOf(change: (bytes: Buffer, name: string) => Buffer): ObjectFolder {
  const files: Record<string, Buffer> = {
    'pack/pack-1.pack': change(pack, 'pack'),
    'pack/pack-1.idx': change(index, 'idx'),
  };
  return {
    readFile: (path) => Promise.resolve(files[path]),
    list: (path) => Promise.resolve(path === 'pack' ? ['pack-1.pack', 'pack-1.idx'] : []),
    open: (path) => {
      const bytes = files[path];
      if (bytes === undefined) return Promise.resolve(undefined);
      const read = (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));
      return Promise.resolve({ read, sizeBytes: bytes.length });
    },
  };
}

/** With one byte changed, or cut off there. */
function damaged(bytes: Buffer, at: number, by: number): Buffer {
  const place = at % bytes.length;
  if (by === 0) return bytes.subarray(0, place);
  const changed = Buffer.from(bytes);
  changed[place] = (bytes[place] ?? 0) ^ by;
  return changed;
}

/** What a call gives, or its PkgError; any other error fails the test. */
async function orPkgError<T>(call: () => T | Promise<T>): Promise<T | PkgError> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
}

describe('the objects of a repository', () => {
  it('are read whole from an undamaged pack', async () => {
    const objects = openObjects([folderOf((bytes) => bytes)]);
    checkPack(pack);
    expect(ids.length).toBeGreaterThan(10);
    for (const id of ids) {
      const object = await objects.read(id);
      expect(object && objectId(object.type, object.bytes)).toBe(id);
      expect([...(await objects.findByPrefix(id.slice(0, 12)))]).toEqual([id]);
    }
  });

  it('are what their ids say, absent or refused, whatever byte is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('pack', 'idx'),
        fc.nat(),
        fc.nat(255),
        async (where, at, by) => {
          const change = (bytes: Buffer, name: string) =>
            name === where ? damaged(bytes, at, by) : bytes;
          const objects = openObjects([folderOf(change)]);
          for (const id of ids) {
            const object = await orPkgError(() => objects.read(id));
            if (object instanceof PkgError) expect(object.code).toBe('integrity');
            else if (object !== undefined) expect(objectId(object.type, object.bytes)).toBe(id);
            await orPkgError(() => objects.findByPrefix(id.slice(0, 4)));
          }
          await orPkgError(() => checkPack(damaged(pack, at, by)));
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('an index of git that is damaged anywhere gives entries or a sentence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.nat(), fc.nat(255), async (which, at, by) => {
      const file = indexFiles[which] ?? Buffer.alloc(0);
      const found = await orPkgError(() => parseIndex(damaged(file, at, by), '.git/index'));
      if (!(found instanceof PkgError)) expect(found.length).toBeLessThan(100);
    }),
    { numRuns: 500 },
  );
});

it('a delta of any bytes gives no more than it may, or fails', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }),
      (base, delta) => {
        try {
          expect(applyDelta(base, delta, 1000).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toHaveProperty('message', expect.stringMatching(/delta/) as unknown);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

it('a revision of any text is names below refs/, an id, HEAD or a sentence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (text) => {
      const revision = await orPkgError(() => parseRevision(text));
      if (revision instanceof PkgError) expect(revision.code).toBe('usage');
      else if (revision.kind === 'name') {
        for (const name of revision.names) {
          expect(name).toMatch(/^(HEAD|refs\/.+)$/s);
          expect(name.split('/')).not.toContain('..');
        }
      }
    }),
    { numRuns: 500 },
  );
});
