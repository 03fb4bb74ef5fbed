/** Where a bucket and its objects are on the network, and how keys are spelt in requests. */

export interface S3Location {
  readonly bucket: string;
  /** Base URL of a server other than AWS; addressed path-style. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** How long the server may be silent, in milliseconds, where that is not the usual minute. */
  readonly silenceMs?: number;
}

/** A server, and the path under which it has a bucket. */
export interface BucketAddress {
  readonly base: URL;
  /** Without a slash at its end; empty where the host names the bucket. */
  readonly path: string;
}

/**
 * The address of a bucket: by host name at AWS
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html), but by path where the
 * name has a dot, which no certificate covers, and on other servers.
 */
export function addressBucket({ bucket, endpoint, region }: S3Location): BucketAddress {
  if (endpoint !== undefined) {
    const base = new URL(endpoint);
    return { base, path: `${base.pathname.replace(/\/+$/, '')}/${encodePath(bucket)}` };
  }
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const host = `s3.${region}.${domain}`;
  return bucket.includes('.')
    ? { base: new URL(`https://${host}`), path: `/${encodePath(bucket)}` }
    : { base: new URL(`https://${bucket}.${host}`), path: '' };
}

/** Percent-encodes all bytes of a key but `A-Z a-z 0-9 _ . - ~ /`, as signatures have it. */
export function encodePath(key: string): string {
  return key.split('/').map(encodeStrict).join('/');
}

/** Percent-encodes a value of a query. */
export function encodeStrict(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A query with its names in order, `?` before it; empty for none. */
export function formatQuery(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(
    ([name, value]) => `${encodeStrict(name)}=${encodeStrict(value)}`,
  );
  return pairs.length === 0 ? '' : `?${pairs.sort().join('&')}`;
}
