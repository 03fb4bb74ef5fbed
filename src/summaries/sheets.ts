/** Contact sheets: a look at some crops of each class, and at some photos with their boxes. */
import {
  blankCanvas,
  type Colour,
  drawText,
  encodePng,
  fillRectangle,
  fitInto,
  LINE_HEIGHT_PX,
  paste,
  strokeRectangle,
  textWidthPx,
} from '../images/canvas.ts';
import { decodePicture } from '../images/decode.ts';
import { MAX_DECODED_BYTES, type Pixels } from '../images/images.ts';
import type { ImagesRow } from '../photos/photos.ts';
import { mapLimit, weightLimit } from '../runtime/concurrency.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Digest, digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import type { ClassFacts, CropFacts } from './summaries.ts';

export const PAPER: Colour = [255, 255, 255];
export const INK: Colour = [40, 40, 40];
export const MARGIN_PX = 12;
export const GAP_PX = 6;

const CROP_SIDE_PX = 96;
const CROPS_A_ROW = 8;
const CROPS_A_CLASS = 16;
const MAX_CLASSES = 24;

const PHOTO_SIDE_PX = 240;
const PHOTOS_A_ROW = 4;
const MAX_PHOTOS = 12;

/** Okabe and Ito's colours, without the ones too pale on white. */
const CLASS_COLOURS: readonly Colour[] = [
  [213, 94, 0],
  [0, 114, 178],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
];

/** What sheets are of. */
export interface SheetSubject {
  readonly classes: readonly ClassFacts[];
  readonly images: readonly ImagesRow[];
  readonly crops: readonly CropFacts[];
  /** Decides which crops and photos are shown. */
  readonly seed: number;
}

/** Up to 16 crops of each class, the same ones for the same seed, with a caption a class, as PNG. */
export async function cropSheet(
  runtime: Runtime,
  store: Store,
  { classes, crops, seed }: SheetSubject,
): Promise<Buffer> {
  const shown = classes.slice(0, MAX_CLASSES).map((facts) => ({
    facts,
    crops: drawLots(
      crops.filter((crop) => crop.Class === facts.name && crop.LogicalKey !== ''),
      (crop) => crop.LogicalKey,
      seed,
    ).slice(0, CROPS_A_CLASS),
  }));
  const step = CROP_SIDE_PX + GAP_PX;
  const heights = shown.map(
    (part) => LINE_HEIGHT_PX + GAP_PX + Math.ceil(part.crops.length / CROPS_A_ROW) * step,
  );
  const sheet = blankCanvas(
    2 * MARGIN_PX + CROPS_A_ROW * step - GAP_PX,
    2 * MARGIN_PX + heights.reduce((sum, height) => sum + height, 0),
    PAPER,
  );
  let topPx = MARGIN_PX;
  for (const [index, part] of shown.entries()) {
    const caption = `${part.facts.name}: ${String(part.facts.crops)} crops`;
    drawText(sheet, caption, { leftPx: MARGIN_PX, topPx }, INK);
    const pictures = await draw(runtime, part.crops, (crop) => readPicture(store, crop));
    pasteGrid(sheet, pictures, topPx + LINE_HEIGHT_PX, CROP_SIDE_PX, CROPS_A_ROW);
    topPx += heights[index] ?? 0;
  }
  return await encodePng(sheet);
}

/** Up to 12 photos as stored, with their boxes in the colour of their class, as PNG. */
export async function photoSheet(
  runtime: Runtime,
  store: Store,
  { classes, images, crops, seed }: SheetSubject,
): Promise<Buffer> {
  const colours = new Map(
    classes.map(({ name }, index) => [name, CLASS_COLOURS[index % CLASS_COLOURS.length] ?? INK]),
  );
  const usable = images.filter(({ LogicalKey }) => LogicalKey !== '');
  const shown = drawLots(usable, (row) => row.ImageID, seed).slice(0, MAX_PHOTOS);
  const pictures = await draw(runtime, shown, (row) => {
    const boxes = crops.filter((crop) => crop.ImageID === row.ImageID && crop.LeftPx !== '');
    return drawBoxes(store, row, boxes, colours);
  });
  const step = PHOTO_SIDE_PX + GAP_PX;
  const rows = Math.ceil(shown.length / PHOTOS_A_ROW);
  const sheet = blankCanvas(
    2 * MARGIN_PX + PHOTOS_A_ROW * step - GAP_PX,
    2 * MARGIN_PX + LINE_HEIGHT_PX + GAP_PX + rows * step,
    PAPER,
  );
  drawLegend(sheet, colours);
  pasteGrid(sheet, pictures, MARGIN_PX + LINE_HEIGHT_PX, PHOTO_SIDE_PX, PHOTOS_A_ROW);
  return await encodePng(sheet);
}

/** Items in an order that depends on their keys and the seed alone. */
function drawLots<T>(items: readonly T[], keyOf: (item: T) => string, seed: number): readonly T[] {
  return items
    .map((item) => ({ item, lot: digestOf(`${String(seed)}:${keyOf(item)}`) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .map(({ item }) => item);
}

/** The picture of each item, in order; `drawOne` decodes the whole of it first. */
async function draw<T extends { readonly WidthPx: string; readonly HeightPx: string }>(
  runtime: Runtime,
  items: readonly T[],
  drawOne: (item: T) => Promise<Pixels>,
): Promise<readonly Pixels[]> {
  const memory = weightLimit(MAX_DECODED_BYTES);
  const pictures = [];
  const work = mapLimit(items, runtime.concurrency, (item) =>
    memory.run(3 * Number(item.WidthPx) * Number(item.HeightPx), () => drawOne(item)),
  );
  for await (const picture of work) pictures.push(picture);
  return pictures;
}

async function readPicture(store: Store, { Digest: digest }: CropFacts): Promise<Pixels> {
  const pixels = await decodePicture(await store.read(digest as Digest));
  return await fitInto(pixels, CROP_SIDE_PX);
}

async function drawBoxes(
  store: Store,
  row: ImagesRow,
  boxes: readonly CropFacts[],
  colours: ReadonlyMap<string, Colour>,
): Promise<Pixels> {
  const data = await store.read(row.Digest as Digest);
  const scaled = await fitInto(await decodePicture(data), PHOTO_SIDE_PX);
  const scale = scaled.widthPx / Number(row.WidthPx);
  for (const box of boxes) {
    const rectangle = {
      leftPx: Math.round(Number(box.LeftPx) * scale),
      topPx: Math.round(Number(box.TopPx) * scale),
      widthPx: Math.max(3, Math.round(Number(box.WidthPx) * scale)),
      heightPx: Math.max(3, Math.round(Number(box.HeightPx) * scale)),
    };
    strokeRectangle(scaled, rectangle, colours.get(box.Class) ?? INK, 2);
  }
  return scaled;
}

function drawLegend(sheet: Pixels, colours: ReadonlyMap<string, Colour>): void {
  let leftPx = MARGIN_PX;
  for (const [name, colour] of colours) {
    if (leftPx + textWidthPx(name) > sheet.widthPx - MARGIN_PX) return;
    fillRectangle(sheet, { leftPx, topPx: MARGIN_PX, widthPx: 10, heightPx: 7 }, colour);
    drawText(sheet, name, { leftPx: leftPx + 14, topPx: MARGIN_PX }, INK);
    leftPx += 14 + textWidthPx(name) + 2 * GAP_PX;
  }
}

function pasteGrid(
  sheet: Pixels,
  pictures: readonly Pixels[],
  topPx: number,
  sidePx: number,
  perRow: number,
): void {
  for (const [index, picture] of pictures.entries()) {
    const column = index % perRow;
    const row = Math.floor(index / perRow);
    paste(sheet, picture, {
      leftPx: MARGIN_PX + column * (sidePx + GAP_PX) + Math.floor((sidePx - picture.widthPx) / 2),
      topPx: topPx + row * (sidePx + GAP_PX) + Math.floor((sidePx - picture.heightPx) / 2),
    });
  }
}
