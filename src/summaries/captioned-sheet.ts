/** A contact sheet with words below each picture. */
import {
  blankCanvas,
  drawText,
  fitInto,
  LINE_HEIGHT_PX,
  paste,
  textWidthPx,
} from '../images/canvas.ts';
import { cutCrop } from '../images/crop.ts';
import type { Pixels } from '../images/images.ts';
import { GAP_PX, INK, MARGIN_PX, PAPER } from './sheets.ts';

const TILE_SIDE_PX = 132;
const TILES_A_ROW = 6;
const ROW_GAP_PX = 14;
const JPEG_QUALITY = 92;

/** A picture of any size, read when its turn comes, with the lines below it. */
export interface Tile {
  readonly read: () => Promise<Pixels>;
  readonly caption: readonly string[];
}

/** A title and tiles in rows of six, as JPEG; lines too long for a tile are cut. */
export async function captionedSheet(title: string, tiles: readonly Tile[]): Promise<Buffer> {
  const lines = Math.max(0, ...tiles.map(({ caption }) => caption.length));
  const headPx = LINE_HEIGHT_PX + GAP_PX;
  const tileHeightPx = TILE_SIDE_PX + 4 + lines * LINE_HEIGHT_PX;
  const rows = Math.ceil(tiles.length / TILES_A_ROW);
  const sheet = blankCanvas(
    2 * MARGIN_PX + TILES_A_ROW * (TILE_SIDE_PX + GAP_PX) - GAP_PX,
    2 * MARGIN_PX + headPx + rows * (tileHeightPx + ROW_GAP_PX) - ROW_GAP_PX,
    PAPER,
  );
  drawText(sheet, title, { leftPx: MARGIN_PX, topPx: MARGIN_PX }, INK);
  for (const [index, { read, caption }] of tiles.entries()) {
    const leftPx = MARGIN_PX + (index % TILES_A_ROW) * (TILE_SIDE_PX + GAP_PX);
    const topPx =
      MARGIN_PX + headPx + Math.floor(index / TILES_A_ROW) * (tileHeightPx + ROW_GAP_PX);
    const tile = await fitInto(await read(), TILE_SIDE_PX);
    paste(sheet, tile, {
      leftPx: leftPx + Math.floor((TILE_SIDE_PX - tile.widthPx) / 2),
      topPx: topPx + Math.floor((TILE_SIDE_PX - tile.heightPx) / 2),
    });
    for (const [line, text] of caption.entries()) {
      const below = topPx + TILE_SIDE_PX + 4 + line * LINE_HEIGHT_PX;
      drawText(sheet, cutToFit(text), { leftPx, topPx: below }, INK);
    }
  }
  const whole = { leftPx: 0, topPx: 0, widthPx: sheet.widthPx, heightPx: sheet.heightPx };
  return await cutCrop(sheet, whole, 0, { format: 'jpeg', quality: JPEG_QUALITY });
}

/** The text, or as much of it as fits below a tile with three dots behind. */
function cutToFit(text: string): string {
  const room = Math.floor(TILE_SIDE_PX / textWidthPx(' '));
  const characters = Array.from(text);
  return characters.length <= room ? text : `${characters.slice(0, room - 3).join('')}...`;
}
