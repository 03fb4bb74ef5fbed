/** Packages of made photos, cut by the crop step itself, in a registry that counts what is read. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deriveCrops } from '../../src/derivation/derivation.ts';
import {
  type InstallOptions,
  installPackage,
  planPackage,
} from '../../src/installation/install.ts';
import { formatLockfile } from '../../src/lockfile/lockfile.ts';
import type { CropParams } from '../../src/manifest/manifest.ts';
import { type Policy, writeSettings } from '../../src/objects/settings.ts';
import { formatCsv } from '../../src/openimages/csv.ts';
import { BOX_COLUMNS, SELECTED_BOX_COLUMNS } from '../../src/openimages/openimages.ts';
import { formatImagesTable, IMAGES_COLUMNS } from '../../src/photos/photos.ts';
import { parseReference } from '../../src/registry/reference.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { cropBoxes } from '../../src/steps/crop.ts';
import { toolchainOf } from '../../src/steps/toolchain.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import {
  type ByteRange,
  IF_ABSENT,
  type ObjectAddress,
  type ReadObject,
} from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { treeOf } from '../../src/store/tree.ts';
import { push } from '../registry/registry-contract.ts';
import { open, somePixels } from '../support/pictures.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, type Files, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

export const PARAMS: CropParams = {
  minSidePx: 1,
  paddingFraction: 0,
  upright: true,
  format: 'jpeg',
  quality: 92,
};

export interface MadePhoto {
  readonly id: string;
  readonly seed: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly quality: number;
  readonly rotation?: string;
  readonly boxes: readonly {
    readonly className: string;
    /** xMin, xMax, yMin, yMax. */
    readonly sides: readonly [number, number, number, number];
  }[];
}

/** A photo of few bytes with crops that are larger together. */
export function busyPhoto(id: string, seed: number, classes = ['Apple', 'Orange']): MadePhoto {
  const boxes = classes.flatMap((className, index) => [
    { className, sides: [0.05, 0.95 - index / 50, 0.02, 0.9] as const },
    { className, sides: [0.1 + index / 50, 0.9, 0.1, 0.8] as const },
  ]);
  return { id, seed, widthPx: 120, heightPx: 90, quality: 60, rotation: '90.0', boxes };
}

/** A photo of many bytes with one small crop. */
export function sparsePhoto(id: string, seed: number): MadePhoto {
  const boxes = [{ className: 'Apple', sides: [0.4, 0.5, 0.4, 0.5] as const }];
  return { id, seed, widthPx: 300, heightPx: 220, quality: 95, boxes };
}

/** Six photos that are smaller than their crops, and one that is larger. */
export const mixedPhotos: readonly MadePhoto[] = [
  ...['b0', 'b1', 'b2', 'b3', 'b4', 'b5'].map((id, index) => busyPhoto(id, index)),
  sparsePhoto('s0', 77),
];

type KeyTest = (logicalKey: string) => boolean;

export const isBelow =
  (folder: string): KeyTest =>
  (key) =>
    key.startsWith(`${folder}/`);

export const isCropOf =
  (id: string): KeyTest =>
  (key) =>
    isBelow('images_cropped')(key) && key.includes(`/${id}_`);

/** The bytes of some files. */
export function sizesOf(files: Files, test: KeyTest): number {
  return Object.entries(files)
    .filter(([key]) => test(key))
    .reduce((sum, [, content]) => sum + Buffer.byteLength(content), 0);
}

/** What `filesBelow` finds where some of the files are. */
export function partOf(files: Files, test: KeyTest): Record<string, string> {
  return asFound(Object.fromEntries(Object.entries(files).filter(([key]) => test(key))));
}

/** What is packaged for photos, as the steps of a build lay it out. */
export async function croppedFiles(
  photos: readonly MadePhoto[],
  params: CropParams = PARAMS,
): Promise<Record<string, Uint8Array | string>> {
  const store = await openStore(join(await temporaryFolder(), 'making'), Date.now());
  const files: Record<string, Uint8Array | string> = {};
  const images: Record<(typeof IMAGES_COLUMNS)[number], string>[] = [];
  const boxes: Record<(typeof SELECTED_BOX_COLUMNS)[number], string>[] = [];
  for (const photo of photos) {
    const { id, widthPx, heightPx, quality } = photo;
    const bytes = await open(somePixels(widthPx, heightPx, photo.seed))
      .jpeg({ quality })
      .toBuffer();
    const { digest, sizeBytes } = await store.putBytes(bytes);
    const logicalKey = `images/${id}.jpg`;
    files[logicalKey] = bytes;
    images.push({
      ...emptyRow(IMAGES_COLUMNS),
      ...{ ImageID: id, Status: 'ok', LogicalKey: logicalKey, Digest: digest, Format: 'JPEG' },
      ...{ SizeBytes: String(sizeBytes), WidthPx: String(widthPx), HeightPx: String(heightPx) },
      Rotation: photo.rotation ?? '',
    });
    for (const { className, sides } of photo.boxes) {
      const [xMin, xMax, yMin, yMax] = sides.map(String);
      boxes.push({
        ...emptyRow(SELECTED_BOX_COLUMNS),
        ...{ ImageID: id, LabelName: `/m/${className}`, Class: className },
        ...{ XMin: xMin ?? '', XMax: xMax ?? '', YMin: yMin ?? '', YMax: yMax ?? '' },
      });
    }
  }
  const imagesTable = formatImagesTable(images);
  const boxesTable = formatCsv(SELECTED_BOX_COLUMNS, boxes);
  const outputs = await cropBoxes(
    testRuntime(),
    store,
    { ...params, changed: 'keep' },
    {
      images: [{ path: 'images.csv', ...(await store.putBytes(imagesTable)) }],
      selection: [{ path: 'boxes.csv', ...(await store.putBytes(boxesTable)) }],
      photos: treeOf([]),
    },
  );
  for (const { path, digest } of outputs['crops'] ?? []) files[path] = await store.read(digest);
  const table = (outputs['tables'] ?? []).find(({ path }) => path === 'crops.csv');
  if (table === undefined) throw new Error('no table of crops');
  files['metadata/crops.csv'] = await store.read(table.digest);
  files['metadata/images.csv'] = imagesTable;
  files['metadata/boxes.csv'] = formatCsv(BOX_COLUMNS, boxes);
  files['manifest.lock.json'] = lockfileText(params);
  files['README.md'] = 'photos and crops';
  return files;
}

function emptyRow<Column extends string>(columns: readonly Column[]): Record<Column, string> {
  return Object.fromEntries(columns.map((column) => [column, ''])) as Record<Column, string>;
}

/** A lockfile whose crops were cut with the given parameters and toolchain. */
export function lockfileText(
  params: CropParams,
  toolchain: Readonly<Record<string, string>> = toolchainOf('crop'),
): string {
  const source = { url: 'https://host/table.csv', digest: digestOf('table'), sizeBytes: 5 };
  return formatLockfile({
    lockfileVersion: 1,
    name: 'user/name',
    manifest: digestOf('manifest'),
    toolchain,
    parameters: { crop: { ...params }, seed: 7 },
    sources: { classes: source, boxes: [source], images: [source] },
  });
}

/** A registry in a folder that counts what is read of its content, and whose network can be broken. */
export class CountingStorage extends DirectoryStorage {
  /** Bytes of objects and packs that were read. */
  readBytes = 0;
  /** Called with that number after each chunk; what it throws breaks the transfer. */
  onRead: (readBytes: number) => void = () => undefined;

  override async read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined> {
    const found = await super.read(address, range);
    if (found === undefined || !/^(objects|\.pkg\/packs)\//.test(address.key)) return found;
    return { ...found, bytes: this.#counted(found.bytes) };
  }

  async *#counted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.readBytes += chunk.length;
      yield chunk;
      this.onRead(this.readBytes);
    }
  }
}

type Changes = Partial<InstallOptions> & { reference?: string; runtime?: Runtime };

/** A registry with a package in it, a store, and names for folders to install into. */
export async function withPackage(files: Files, policy: Policy = 'objects') {
  const root = await temporaryFolder();
  const path = join(root, 'registry');
  await mkdir(path);
  const writer = new DirectoryStorage(testRuntime(), path);
  await writeSettings(writer, { policy, looseObjects: false }, IF_ABSENT);
  await push(writer, samplePackage(files));
  const store = await openStore(join(root, 'store'), Date.now());
  const folder = (name: string) => join(root, 'installed', name);
  const registry = new CountingStorage(testRuntime(), path);
  return { ...installing(registry, store), root, store, folder };
}

/** Installing from one registry, deriving unless told otherwise; with what was read of it meanwhile. */
export function installing(registry: CountingStorage, store: Store) {
  const argumentsOf = (folder: string, changes: Changes) => {
    const { reference = 'user/name', runtime = testRuntime(), ...options } = changes;
    const asked = {
      folder,
      paths: [],
      foreignFiles: 'refuse' as const,
      store,
      derive: deriveCrops,
    };
    return [runtime, registry, parseReference(reference), { ...asked, ...options }] as const;
  };
  return {
    registry,
    install: async (folder: string, changes: Changes = {}) => {
      const before = registry.readBytes;
      const result = await installPackage(...argumentsOf(folder, changes));
      return { ...result, readBytes: registry.readBytes - before };
    },
    plan: async (folder: string, changes: Changes = {}) => {
      const before = registry.readBytes;
      const result = await planPackage(...argumentsOf(folder, changes));
      return { ...result, readBytes: registry.readBytes - before };
    },
  };
}
