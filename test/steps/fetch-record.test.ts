/** The fetch record: which images are exceptions, and what differs when they are asked for again. */
import { describe, expect, it } from 'vitest';
import { formatImagesTable } from '../../src/photos/photos.ts';
import {
  driftedPhotos,
  exceptionDrift,
  fewSentences,
  findExceptions,
  readImagesTable,
} from '../../src/steps/fetch-record.ts';
import { digestOf, streamOf } from '../../src/store/digest.ts';
import { imagesRow, tombstone } from '../support/summaries.ts';

const DIGEST = digestOf('bytes');
const OTHER = digestOf('other bytes');

const changed = (id: string, Digest: string) =>
  imagesRow(id, { Status: 'changed', MD5Matches: 'false', Digest });

describe('findExceptions', () => {
  it('lists every image that OriginalMD5 does not pin, with its bytes where there are any', () => {
    const rows = [
      imagesRow('a'),
      changed('b', DIGEST),
      tombstone('c', 'missing'),
      tombstone('d', 'corrupt'),
      imagesRow('e', { MD5Matches: '', Digest: DIGEST }),
      imagesRow('f', { Status: 'corrupt', LogicalKey: '', Digest: OTHER }),
    ];
    expect(findExceptions(rows)).toEqual({
      b: `changed ${DIGEST}`,
      c: 'missing',
      d: 'corrupt',
      e: `ok ${DIGEST}`,
      f: `corrupt ${OTHER}`,
    });
    expect(findExceptions([])).toEqual({});
  });

  it('lists images of any permitted name, also one that objects have by nature', () => {
    const ids = ['constructor', 'toString', '__proto__', 'hasOwnProperty'];
    const exceptions = findExceptions(ids.map((id) => tombstone(id, 'gone')));
    expect(Object.entries(exceptions).sort()).toEqual(ids.map((id) => [id, 'gone']).sort());
  });
});

describe('exceptionDrift', () => {
  const recorded = findExceptions([changed('b', DIGEST), tombstone('c', 'missing')]);

  it('says nothing where the answers are the same', () => {
    const rows = [imagesRow('a'), changed('b', DIGEST), tombstone('c', 'missing')];
    expect(exceptionDrift(recorded, rows)).toEqual([]);
    expect(exceptionDrift(findExceptions(rows), rows)).toEqual([]);
  });

  it('has a sentence for each image whose answer differs', () => {
    const rows = [tombstone('a', 'gone'), changed('b', OTHER), imagesRow('c')];
    expect(exceptionDrift(recorded, rows)).toEqual([
      'photo a was ok, is gone',
      `photo b was changed ${DIGEST}, is changed ${OTHER}`,
      'photo c was missing, is ok',
    ]);
  });

  it('makes nothing of names that objects have by nature', () => {
    const rows = ['constructor', 'toString', '__proto__'].map((id) => imagesRow(id));
    expect(exceptionDrift({}, rows)).toEqual([]);
  });
});

describe('the sentences of an error', () => {
  it('are ten at most, and the number of the rest', () => {
    const sentences = Array.from({ length: 12 }, (_, index) => `photo ${String(index)}`);
    expect(fewSentences(sentences.slice(0, 10))).toEqual(sentences.slice(0, 10));
    expect(fewSentences(sentences)).toEqual([...sentences.slice(0, 10), 'and 2 photos more']);
  });

  it('say what drifted and where the old bytes may be', () => {
    const error = driftedPhotos(['photo a was ok, is gone']);
    expect([error.code, error.exitCode]).toEqual(['lockfile', 11]);
    expect(error.message).toContain('photo a was ok, is gone');
    expect(error.hint).toContain('--registry');
    expect(error.hint).toContain('--update');
  });
});

describe('the recorded table', () => {
  it('reads back with the same exceptions', async () => {
    const rows = [imagesRow('a'), changed('b', DIGEST), tombstone('c', 'missing', 'a, "b"\nc')];
    const read = await readImagesTable(streamOf(formatImagesTable(rows)));
    expect(read).toEqual(rows);
    expect(findExceptions(read)).toEqual(findExceptions(rows));
  });
});
