/** What S3 says in XML: the code of a refusal, and the pages of a listing. */
import type { ListedObject } from './storage.ts';

/** What a refusal names; texts are cut to a length that fits into a message. */
export interface RefusalText {
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** The region of a bucket that was asked for in another one. */
  readonly region: string | undefined;
}

/** A page of `ListObjectsV2`. */
export interface ListingPage {
  readonly objects: readonly ListedObject[];
  /** Where the next page begins; undefined on the last one. */
  readonly continuation: string | undefined;
  /** Whether more keys follow; then a page without a continuation is broken. */
  readonly isTruncated: boolean;
}

/** Reads the body of a refusal, which may also be empty or no XML at all. */
export function parseRefusal(xml: string): RefusalText {
  return {
    code: /<Code>([\w.-]{1,100})<\/Code>/.exec(xml)?.[1],
    message: textOf(/<Message>([^<]{1,500})/.exec(xml)?.[1]),
    region: /<Region>([a-z0-9-]{1,40})<\/Region>/.exec(xml)?.[1],
  };
}

/**
 * Reads a page of `ListObjectsV2`
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html), asked for without an
 * encoding of keys. Of 1,000 keys the SDK's parser makes objects with a dozen fields each; only four
 * are needed. A last page may have no `Contents`.
 */
export function parseListing(xml: string): ListingPage {
  const objects: ListedObject[] = [];
  for (const [, content = ''] of xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
    const key = field(content, 'Key');
    const modifiedMs = Date.parse(field(content, 'LastModified') ?? '');
    const sizeBytes = Number(field(content, 'Size'));
    if (key === undefined || !Number.isSafeInteger(sizeBytes)) continue;
    objects.push({
      key,
      sizeBytes,
      etag: field(content, 'ETag') ?? '',
      modifiedMs: Number.isNaN(modifiedMs) ? 0 : modifiedMs,
    });
  }
  const outside = xml.replaceAll(/<Contents>[\s\S]*?<\/Contents>/g, '');
  return {
    objects,
    continuation: field(outside, 'NextContinuationToken') || undefined,
    isTruncated: field(outside, 'IsTruncated') === 'true',
  };
}

function field(xml: string, name: string): string | undefined {
  const open = `<${name}>`;
  const start = xml.indexOf(open);
  if (start < 0) return undefined;
  const end = xml.indexOf(`</${name}>`, start);
  return end < 0 ? undefined : textOf(xml.slice(start + open.length, end));
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function textOf(escaped: string): string;
function textOf(escaped: string | undefined): string | undefined;
function textOf(escaped: string | undefined): string | undefined {
  if (escaped?.includes('&') !== true) return escaped;
  return escaped.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));/gi,
    (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code > 0x10ffff ? whole : String.fromCodePoint(code);
    },
  );
}
