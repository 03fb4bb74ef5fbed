/** Where buckets are on the network. */
import { expect, it } from 'vitest';
import { addressBucket, formatQuery } from '../../src/storage/s3-address.ts';

it.each([
  ['bucket', 'eu-central-1', undefined, 'https://bucket.s3.eu-central-1.amazonaws.com/', ''],
  ['bucket', 'cn-north-1', undefined, 'https://bucket.s3.cn-north-1.amazonaws.com.cn/', ''],
  ['my.bucket', 'us-east-1', undefined, 'https://s3.us-east-1.amazonaws.com/', '/my.bucket'],
  ['bucket', 'us-east-1', 'http://127.0.0.1:9000', 'http://127.0.0.1:9000/', '/bucket'],
  ['bucket', 'us-east-1', 'http://host/s3/', 'http://host/s3/', '/s3/bucket'],
])('addresses %s in %s at endpoint %s', (bucket, region, endpoint, base, path) => {
  const address = addressBucket({ bucket, region, endpoint });
  expect(address.base.href).toBe(base);
  expect(address.path).toBe(path);
});

it('puts the names of a query in order and escapes its values', () => {
  expect(formatQuery({ prefix: 'a b/é', 'list-type': '2' })).toBe(
    '?list-type=2&prefix=a%20b%2F%C3%A9',
  );
  expect(formatQuery({})).toBe('');
});
