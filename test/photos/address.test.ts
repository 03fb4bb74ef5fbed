/** Where a photo is asked for: relative to its table, or at another place by a pattern. */
import { describe, expect, it } from 'vitest';
import { addressing } from '../../src/photos/address.ts';
import { image } from '../support/open-images-tables.ts';

const row = (OriginalURL: string, cells: { Table?: string; Subset?: string } = {}) => ({
  ...image('img-1', { OriginalURL, OriginalMD5: 'md5==', Subset: cells.Subset ?? 'train' }),
  Table: cells.Table ?? '0',
});

describe('the original address of a photo', () => {
  it('is relative to a local table, and may be a file there', async () => {
    const addressOf = await addressing(['tables/images.csv'], '/data', 'original');
    expect(addressOf(row('photos/1.jpg'))).toEqual({
      url: 'photos/1.jpg',
      folder: '/data/tables',
      reach: 'anywhere',
      originalMd5: 'md5==',
    });
    expect(addressOf(row('https://host/1.jpg'))).toMatchObject({ url: 'https://host/1.jpg' });
  });

  it('is relative to a table on the network, and is no file there', async () => {
    const addressOf = await addressing(['http://127.0.0.1:80/m/images.csv'], '/data', 'original');
    expect(addressOf(row('../p/1.jpg'))).toEqual({
      url: 'http://127.0.0.1/p/1.jpg',
      folder: undefined,
      reach: 'anywhere',
      originalMd5: 'md5==',
    });
    expect(addressOf(row('/etc/passwd'))).toMatchObject({
      url: 'http://127.0.0.1/etc/passwd',
      folder: undefined,
    });
    expect(addressOf(row('file:///etc/passwd'))).toMatchObject({ folder: undefined });
  });

  it('reaches no farther inside than the table did', async () => {
    const addressOf = await addressing(
      ['http://8.8.8.8/images.csv', 'http://127.0.0.1/images.csv'],
      '/data',
      'original',
    );
    expect(addressOf(row('http://10.0.0.1/1.jpg'))).toMatchObject({ reach: 'public' });
    expect(addressOf(row('http://10.0.0.1/1.jpg', { Table: '1' }))).toMatchObject({
      reach: 'anywhere',
    });
  });

  it('is that of no image where the cell is empty, not that of the table', async () => {
    const addressOf = await addressing(['http://127.0.0.1/m/images.csv'], '/data', 'original');
    expect(addressOf(row('')).url).not.toBe('http://127.0.0.1/m/images.csv');
  });
});

describe('another place', () => {
  it('is a pattern with the subset and the image', async () => {
    const place = 's3://open-images/{Subset}/{ImageID}.jpg';
    const addressOf = await addressing(['http://8.8.8.8/images.csv'], '/data', place);
    expect(addressOf(row('x', { Subset: 'validation' }))).toEqual({
      url: 's3://open-images/validation/img-1.jpg',
      folder: '/data',
      reach: 'anywhere',
      originalMd5: 'md5==',
    });
    expect(addressOf(row('x', { Subset: '../a b' })).url).toBe(
      's3://open-images/..%2Fa%20b/img-1.jpg',
    );
  });

  it('may be a folder on this disk', async () => {
    const addressOf = await addressing(['images.csv'], '/data', 'mirror/{ImageID}.jpg');
    expect(addressOf(row('x'))).toMatchObject({ url: 'mirror/img-1.jpg', folder: '/data' });
  });

  it('with an unknown word in braces is an error of the manifest', async () => {
    const addressOf = await addressing(['images.csv'], '/data', 'mirror/{Title}.jpg');
    expect(() => addressOf(row('x'))).toThrow(
      expect.objectContaining({ code: 'manifest', key: 'data.fetch.from' }),
    );
  });
});
