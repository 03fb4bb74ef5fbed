/** Sources into the store: local files are described where they are, remote ones are kept. */
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { withTemporaryFile } from '../store/atomic-file.ts';
import { type Descriptor, finishDigest, hashWhile } from '../store/digest.ts';
import { describeLocalFile } from '../store/local-file.ts';
import type { Store } from '../store/store.ts';
import { DamagedBody, type HttpAnswer, type HttpClient } from './http.ts';

/** Bytes with the place on this disk where they can be read. */
export interface LocalSource extends Descriptor {
  readonly path: string;
  readonly etag: string | undefined;
}

/** Source tables of Open Images reach 1.2 GB; ten times that is no table of its kind. */
const MAX_SOURCE_BYTES = 16 * 2 ** 30;

/**
 * The path of a `file:` URL or of a path relative to `folder`; undefined for other schemes.
 * @throws PkgError `unreachable` for an address that no file of this machine can have.
 */
export function localPath(url: string, folder: string): string | undefined {
  const isFileUrl = /^file:/i.test(url);
  if (!isFileUrl && /^[a-z][a-z0-9+.-]+:/i.test(url)) return undefined;
  try {
    const path = isFileUrl ? fileURLToPath(url) : resolve(folder, url);
    if (!path.includes('\0')) return path;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw new PkgError('unreachable', `${JSON.stringify(url)} names no file of this machine`, {
    hint: 'Write a path, or file:///absolute/path.',
  });
}

/**
 * The bytes of a source. With `known` (what a lockfile holds), bytes that the store already has are
 * not asked for again, and an unchanged ETag saves the transfer. A transfer that breaks off goes on
 * where it stopped, if the server's ETag allows.
 * @param folder what relative paths are relative to.
 * @throws PkgError `unreachable` where the source is gone or refuses.
 */
export async function download(
  runtime: Runtime,
  store: Store,
  client: HttpClient,
  source: { readonly url: string; readonly folder: string },
  known?: Descriptor & { readonly etag?: string | undefined },
): Promise<LocalSource> {
  const path = localPath(source.url, source.folder);
  if (path !== undefined) {
    return { ...(await describeLocalFile(runtime, store, path)), path, etag: undefined };
  }
  const usable = known !== undefined && (await store.has(known)) ? known : undefined;
  return await withTemporaryFile(await store.scratchFolder('tmp'), async (temporaryPath) => {
    const partial: Partial = { path: temporaryPath, sizeBytes: 0, etag: undefined };
    const answer = await getFrom(client, source.url, usable?.etag, partial);
    if (answer.unchanged) {
      await rm(temporaryPath, { force: true });
      if (usable === undefined) throw new PkgError('unreachable', `${source.url}: HTTP 304`);
      return { ...usable, path: store.path(usable.digest), etag: usable.etag };
    }
    await store.adopt(temporaryPath, answer.descriptor);
    return { ...answer.descriptor, path: store.path(answer.descriptor.digest), etag: answer.etag };
  });
}

/** What has arrived of a body so far, and the strong ETag it belongs to. */
interface Partial {
  readonly path: string;
  sizeBytes: number;
  etag: string | undefined;
}

type Downloaded =
  | { readonly unchanged: true }
  | {
      readonly unchanged: false;
      readonly descriptor: Descriptor;
      readonly etag: string | undefined;
    };

async function getFrom(
  client: HttpClient,
  url: string,
  knownEtag: string | undefined,
  partial: Partial,
): Promise<Downloaded> {
  const request = {
    url,
    reach: 'anywhere' as const,
    maxBytes: MAX_SOURCE_BYTES,
    headers: () => conditionalHeaders(knownEtag, partial),
  };
  const result = await client.get(request, (answer) => receive(url, answer, partial));
  if (result.kind === 'received') return result.value;
  const why = result.kind === 'refused' ? result.why : 'it is larger than 16 GiB';
  throw new PkgError('unreachable', `${url} was not fetched: ${why}`);
}

function conditionalHeaders(
  knownEtag: string | undefined,
  partial: Partial,
): Readonly<Record<string, string>> {
  if (partial.sizeBytes > 0 && partial.etag !== undefined) {
    return { range: `bytes=${String(partial.sizeBytes)}-`, 'if-range': partial.etag };
  }
  return knownEtag === undefined ? {} : { 'if-none-match': knownEtag };
}

async function receive(url: string, answer: HttpAnswer, partial: Partial): Promise<Downloaded> {
  if (answer.status === 304) return { unchanged: true };
  if (answer.status === 416 && partial.sizeBytes > 0) {
    partial.sizeBytes = 0;
    throw new DamagedBody(`${url} has no such range`);
  }
  if (answer.status !== 200 && answer.status !== 206) {
    throw new PkgError('unreachable', `${url} answered HTTP ${String(answer.status)}`, {
      hint: 'Check the address in the manifest.',
    });
  }
  const etag = typeof answer.headers['etag'] === 'string' ? answer.headers['etag'] : undefined;
  const resumed = answer.status === 206 && rangeStart(answer) === partial.sizeBytes;
  if (answer.status === 206 && !resumed) {
    throw new PkgError('unreachable', `${url} sent another part than was asked for`);
  }
  if (!resumed) partial.sizeBytes = 0;
  partial.etag = etag?.startsWith('"') === true ? etag : undefined;
  await append(answer.body, partial);
  const total = Number(/\/(\d+)$/.exec(String(answer.headers['content-range']))?.[1]);
  if (partial.sizeBytes < total) throw new DamagedBody(`${url} sent less than the rest`);
  return { unchanged: false, descriptor: await describePartial(partial), etag };
}

function rangeStart(answer: HttpAnswer): number {
  return Number(/^bytes (\d+)-/.exec(String(answer.headers['content-range']))?.[1]);
}

async function append(body: AsyncIterable<Uint8Array>, partial: Partial): Promise<void> {
  const file = await open(partial.path, 'a');
  try {
    await file.truncate(partial.sizeBytes);
    for await (const chunk of body) {
      await file.writeFile(chunk);
      partial.sizeBytes += chunk.length;
    }
  } finally {
    await file.close();
  }
}

async function describePartial(partial: Partial): Promise<Descriptor> {
  const hash = createHash('sha256');
  const file = await open(partial.path);
  try {
    const bytes: AsyncIterable<Uint8Array> = file.createReadStream();
    for await (const _ of hashWhile(bytes, hash));
  } finally {
    await file.close();
  }
  return { digest: finishDigest(hash), sizeBytes: partial.sizeBytes };
}
