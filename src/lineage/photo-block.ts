/** A photo of a lineage as bytes, and back. */
import { PkgError } from '../runtime/errors.ts';
import { ByteReader, ByteWriter } from './byte-buffers.ts';
import { type LineageCrop, type LineagePhoto, type PlacedPhoto, SPLITS } from './lineage.ts';
import type { LineageHead } from './lineage-format.ts';

/** The numbers that stand for texts of the head. */
export interface TextNumbers {
  readonly licences: ReadonlyMap<string, number>;
  readonly folders: ReadonlyMap<string, number>;
}

/** A photo without its addresses, which only their terms know. */
export type BlockPhoto = Omit<PlacedPhoto, 'urls'>;

/** The folder of a logical key, with the slash at its end; empty for none. */
export function folderOf(logicalKey: string): string {
  return logicalKey.slice(0, logicalKey.lastIndexOf('/') + 1);
}

/** The photo's part of a block: all but the revisions. */
export function encodePhoto(photo: LineagePhoto, numbers: TextNumbers): Buffer {
  const { imageId, status, author, licence, crops } = photo;
  const writer = new ByteWriter();
  for (const text of [imageId, status, author]) writer.text(text);
  writer.number(licence === '' ? 0 : 1 + (numbers.licences.get(licence) ?? 0));
  writer.number(crops.length);
  for (const { logicalKey, split } of crops) {
    const folder = folderOf(logicalKey);
    const file = logicalKey.slice(folder.length);
    const isOwn = file.startsWith(imageId);
    writer.number(split === undefined ? 0 : 1 + SPLITS.indexOf(split));
    writer.number(numbers.folders.get(folder) ?? 0);
    writer.number(isOwn ? 1 : 0);
    writer.text(isOwn ? file.slice(imageId.length) : file);
  }
  return writer.finish();
}

/** The length of what follows, the revisions (how many, then the steps between them), the photo. */
export function encodeBlock(revisions: readonly number[], photo: Buffer): Buffer {
  const inner = new ByteWriter();
  inner.number(revisions.length);
  let last = 0;
  for (const revision of revisions) {
    inner.number(revision - last);
    last = revision;
  }
  inner.bytes(photo);
  const block = new ByteWriter();
  block.number(inner.length);
  block.bytes(inner.finish());
  return block.finish();
}

/**
 * Reads the block at a position, and where it ends; undefined where `bytes` end before it does.
 * @throws PkgError `integrity` for a block that does not add up.
 */
export function decodeBlock(
  bytes: Buffer,
  position: number,
  head: LineageHead,
): { readonly photo: BlockPhoto; readonly end: number } | undefined {
  const outer = new ByteReader(bytes.subarray(position, position + 8));
  if (bytes.length - position < 8 && !hasNumber(bytes, position)) return undefined;
  const sizeBytes = outer.number();
  const start = position + outer.position;
  const end = start + sizeBytes;
  if (end > bytes.length) return undefined;
  const reader = new ByteReader(bytes.subarray(0, end), start);
  const revisions = readRevisions(reader, head.revisions.length);
  const [imageId, status, author] = [reader.text(), reader.text(), reader.text()];
  const licence = licenceAt(head, reader.number());
  const crops = readCrops(reader, imageId, head, end);
  if (reader.position !== end) throw new PkgError('integrity', 'a photo has bytes of no meaning');
  return { photo: { revisions, imageId, status, author, licence, crops }, end };
}

function hasNumber(bytes: Buffer, position: number): boolean {
  for (let at = position; at < bytes.length; at++) if ((bytes[at] ?? 0) < 128) return true;
  return false;
}

function readRevisions(reader: ByteReader, known: number): readonly number[] {
  const count = reader.number();
  if (count === 0 || count > known) throw new PkgError('integrity', 'a photo has no revision');
  const revisions: number[] = [];
  let last = 0;
  for (let index = 0; index < count; index++) {
    const step = reader.number();
    last += step;
    if (last >= known || (index > 0 && step === 0)) {
      throw new PkgError('integrity', 'a photo has revisions that are not there');
    }
    revisions.push(last);
  }
  return revisions;
}

function licenceAt({ licences }: LineageHead, number: number): string {
  const licence = number === 0 ? '' : licences[number - 1];
  if (licence === undefined) throw new PkgError('integrity', 'a photo has an unknown licence');
  return licence;
}

function readCrops(
  reader: ByteReader,
  imageId: string,
  { folders }: LineageHead,
  end: number,
): readonly LineageCrop[] {
  const count = reader.number();
  if (count > end - reader.position) throw new PkgError('integrity', 'a photo has too many crops');
  const crops: LineageCrop[] = [];
  for (let index = 0; index < count; index++) {
    const split = reader.number();
    const folder = folders[reader.number()];
    const isOwn = reader.number() === 1;
    const file = reader.text();
    if (folder === undefined || split > SPLITS.length) {
      throw new PkgError('integrity', `a crop of photo ${imageId} is impossible`);
    }
    const logicalKey = `${folder}${isOwn ? imageId : ''}${file}`;
    crops.push({ logicalKey, split: split === 0 ? undefined : SPLITS[split - 1] });
  }
  return crops;
}
