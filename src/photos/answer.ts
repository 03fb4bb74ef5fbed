/** What one address answers when asked for a photo: bytes, looked at, or a reason for none. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { isPrivateHost, type Reach } from '../http/address.ts';
import { localPath } from '../http/download.ts';
import { type HttpAnswer, type HttpClient, isFetchable } from '../http/http.ts';
import { type Inspection, inspectPicture } from '../images/decode.ts';
import { SHARP_VERSION } from '../images/sharp.ts';
import type { WeightLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { canonicalJson } from '../store/canonical-json.ts';
import { type Descriptor, digestOf, fileBytes, hashWhile, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

/** Where and how photos are asked for. */
export interface PhotoSource {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly client: HttpClient;
  /** Shared by all pictures that are decoded at once. */
  readonly decoders: WeightLimit;
  /** Shared by all local files that are read at once. */
  readonly files: WeightLimit;
  readonly maxBytes: number;
  /** Ask the network again for what it could not give the last time. */
  readonly again: boolean;
}

export interface PhotoAddress {
  readonly url: string;
  /** A folder for relative paths; undefined where the address came over the network. */
  readonly folder: string | undefined;
  readonly reach: Reach;
  /** Base64, as Open Images states it; empty where unknown. */
  readonly originalMd5: string;
}

const answerSchema = z.union([
  z.object({
    kind: z.literal('bytes'),
    httpStatus: z.int(),
    url: z.string(),
    digest: z.string().refine(isDigest),
    sizeBytes: z.int(),
    md5: z.string(),
  }),
  z.object({
    kind: z.literal('none'),
    httpStatus: z.int(),
    url: z.string(),
    status: z.enum(['missing', 'gone', 'placeholder', 'too-large']),
    detail: z.string(),
  }),
]);

/** `httpStatus` is 0 for local files. */
export type PhotoAnswer = Readonly<z.output<typeof answerSchema>>;

/** Raised when an answer would be judged or remembered otherwise. */
const ANSWER_VERSION = 1;

/** Redirect targets that say, in their file name, that the photo is not there any more. */
const UNAVAILABLE_NAME =
  /unavailable|(?<![a-z])no(?:t?[-_]?(?:available|found)|[-_]?longer|[-_]?(?:photo|image|picture))|(?:photo|image|picture)[-_]?(?:gone|removed|deleted|missing)|(?:removed|deleted|missing)[-_]?(?:photo|image|picture)|placeholder/i;

/** Equal transfers that make bytes certain where the server states no checksum, or another. */
const EQUAL_TRANSFERS = { unstated: 2, contradicted: 4 } as const;

/** An address whose answers never agree is given up after so many. */
const MAX_TRANSFERS = 12;

/** What the disk says of a path at which there is nothing and can be nothing. */
const ABSENT_CODES: readonly string[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];

/** Whether an address says of itself that it stands in for a photo that is gone. */
export function isUnavailableAddress(address: URL): boolean {
  return UNAVAILABLE_NAME.test(address.pathname.split('/').at(-1) ?? '');
}

/**
 * Asks one address for a photo. Network answers are remembered in the store, so that a build that was
 * killed asks for nothing twice; local files are read each time.
 * @throws PkgError `unreachable` where the network gives no final answer.
 */
export async function askForPhoto(
  source: PhotoSource,
  address: PhotoAddress,
): Promise<PhotoAnswer> {
  const { url, folder } = address;
  if (folder === undefined && /^file:/i.test(url)) {
    return none(0, url, 'missing', 'a file: address in a table from the network is refused');
  }
  const path = folder === undefined ? undefined : photoPath(url, folder);
  if (path !== undefined) {
    return await source.files.run(1, () => readLocalPhoto(source, path, url));
  }
  if (!isFetchable(url)) return none(0, url, 'missing', 'not an address');
  const key = digestOf(
    canonicalJson({
      version: ANSWER_VERSION,
      url: address.url,
      originalMd5: address.originalMd5,
      maxBytes: source.maxBytes,
      reach: address.reach,
    }),
  );
  const known = answerSchema.safeParse(await source.store.findRecord('answers', key));
  if (known.success && (await isUsable(source, known.data, address))) return known.data;
  const answer = await askNetwork(source, address);
  await source.store.writeRecord('answers', key, answer);
  return answer;
}

/** What a picture is, remembered by its bytes. */
export async function inspectStored(
  source: Pick<PhotoSource, 'store' | 'decoders'>,
  descriptor: Descriptor,
): Promise<Inspection> {
  const key = digestOf(`${descriptor.digest} ${SHARP_VERSION} ${String(ANSWER_VERSION)}`);
  const known = await source.store.findRecord('pictures', key);
  if (isInspection(known)) return known;
  const inspection = await source.decoders.run(1, async () =>
    inspectPicture(await source.store.read(descriptor.digest)),
  );
  await source.store.writeRecord('pictures', key, { ...inspection });
  return inspection;
}

/** How far the addresses of an image table may reach: no farther inside than the table itself. */
export async function reachOfTable(url: string): Promise<Reach> {
  if (localPath(url, '/') !== undefined) return 'anywhere';
  return (await isPrivateHost(new URL(url))) ? 'anywhere' : 'public';
}

/** The path a local photo's address names; undefined for other addresses and where there can be none. */
function photoPath(url: string, folder: string): string | undefined {
  try {
    return localPath(url, folder);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'unreachable') return undefined;
    throw error;
  }
}

async function isUsable(
  source: PhotoSource,
  answer: PhotoAnswer,
  address: PhotoAddress,
): Promise<boolean> {
  if (answer.kind === 'none') return !source.again;
  if (source.again && answer.md5 !== address.originalMd5) return false;
  return await source.store.has({
    digest: parseStored(answer.digest),
    sizeBytes: answer.sizeBytes,
  });
}

async function readLocalPhoto(
  { runtime, store, maxBytes }: PhotoSource,
  path: string,
  url: string,
): Promise<PhotoAnswer> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return none(0, url, 'missing', 'not a regular file');
    if (found.size > maxBytes) return none(0, url, 'too-large', largerThan(maxBytes));
  } catch (error) {
    if (ABSENT_CODES.includes(systemErrorCode(error) ?? '')) {
      return none(0, url, 'missing', 'no such file');
    }
    throw storageError(error, `cannot read ${path}`);
  }
  const md5 = createHash('md5');
  const stored = await store.put(hashWhile(fileBytes(path, runtime.signal), md5));
  return { kind: 'bytes', httpStatus: 0, url, ...stored, md5: md5.digest('base64') };
}

type Transfer = PhotoAnswer & { readonly proof?: 'stated' | 'unstated' | 'contradicted' };

async function askNetwork(source: PhotoSource, address: PhotoAddress): Promise<PhotoAnswer> {
  const seen = new Map<string, number>();
  for (let transfers = 0; transfers < MAX_TRANSFERS; transfers++) {
    const { proof, ...answer } = await transfer(source, address);
    if (answer.kind === 'none' || proof === undefined || proof === 'stated') return answer;
    const times = (seen.get(answer.digest) ?? 0) + 1;
    seen.set(answer.digest, times);
    if (times >= EQUAL_TRANSFERS[proof]) return answer;
  }
  throw new PkgError('unreachable', `${address.url} gives other bytes each time it is asked`, {
    hint: 'Leave the photo out by data.query.where, or name another place in data.fetch.from.',
  });
}

async function transfer(source: PhotoSource, address: PhotoAddress): Promise<Transfer> {
  const { client, maxBytes } = source;
  const { url, reach } = address;
  const result = await client.get(
    { url, reach, maxBytes, stopAt: isUnavailableAddress },
    (answer) => receivePhoto(source, address, answer),
  );
  switch (result.kind) {
    case 'received':
      return result.value;
    case 'refused':
      return none(result.status, result.url, 'missing', `not followed: ${result.why}`);
    case 'too-large':
      return none(result.status, result.url, 'too-large', largerThan(maxBytes));
  }
}

async function receivePhoto(
  { store }: PhotoSource,
  { originalMd5 }: PhotoAddress,
  answer: HttpAnswer,
): Promise<Transfer> {
  const { status, url } = answer;
  if (status >= 300 && status < 400 && isUnavailableAddress(new URL(url))) {
    return none(status, url, 'placeholder', 'redirected to a picture that says it is unavailable');
  }
  if (status === 410 || status === 451) return none(status, url, 'gone', `HTTP ${String(status)}`);
  if (status < 200 || status > 299) return none(status, url, 'missing', `HTTP ${String(status)}`);
  const hash = createHash('md5');
  const stored = await store.put(hashWhile(answer.body, hash));
  const md5 = hash.digest('base64');
  const proof = md5 === originalMd5 ? 'stated' : checkAgainstHeaders(md5, answer.headers);
  if (originalMd5 === '' && proof === 'unstated') {
    return { kind: 'bytes', httpStatus: status, url, ...stored, md5 };
  }
  return { kind: 'bytes', httpStatus: status, url, ...stored, md5, proof };
}

/**
 * Whether the server itself states an MD5 of the body: `Content-MD5`, Google's `x-goog-hash`, or an
 * ETag of 32 hex digits, as S3 and many others make it.
 */
function checkAgainstHeaders(
  md5: string,
  headers: HttpAnswer['headers'],
): 'stated' | 'unstated' | 'contradicted' {
  const hex = Buffer.from(md5, 'base64').toString('hex');
  const etag = /^"([0-9a-f]{32})"$/i.exec(String(headers['etag'] ?? ''))?.[1];
  const stated = [
    headers['content-md5'],
    /md5=([A-Za-z0-9+/=]{24})/.exec(String(headers['x-goog-hash'] ?? ''))?.[1],
  ];
  if (etag?.toLowerCase() === hex || stated.includes(md5)) return 'stated';
  return etag !== undefined || stated.some((value) => value !== undefined)
    ? 'contradicted'
    : 'unstated';
}

function none(
  httpStatus: number,
  url: string,
  status: Extract<PhotoAnswer, { kind: 'none' }>['status'],
  detail: string,
): PhotoAnswer {
  return { kind: 'none', httpStatus, url, status, detail };
}

function largerThan(maxBytes: number): string {
  return `larger than ${String(maxBytes)} bytes`;
}

function parseStored(text: string): Descriptor['digest'] {
  if (!isDigest(text)) throw new Error(`not a digest: ${text}`);
  return text;
}

function isInspection(value: unknown): value is Inspection {
  return typeof value === 'object' && value !== null && 'status' in value && 'format' in value;
}
