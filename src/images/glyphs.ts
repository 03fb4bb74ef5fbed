/** A small bitmap font: drawing words needs no font file, which would differ between machines. */

export const GLYPH_WIDTH_PX = 5;
export const GLYPH_HEIGHT_PX = 7;

/** Seven rows a glyph, top first, each a base-32 digit whose five bits are pixels, left first. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhe',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hplljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllrh',
  X: 'hha4ahh',
  Y: 'hha4444',
  Z: 'v1248gv',
  '0': 'ehjlphe',
  '1': '4c4444e',
  '2': 'eh1248v',
  '3': 'v2421he',
  '4': '26aiv22',
  '5': 'vgu11he',
  '6': '68guhhe',
  '7': 'v124888',
  '8': 'ehhehhe',
  '9': 'ehhf12c',
  '.': '00000cc',
  ',': '0000c48',
  '-': '000v000',
  _: '000000v',
  '/': '11248gg',
  ':': '0cc0cc0',
  '(': '2488842',
  ')': '8422248',
  "'": '4440000',
  '&': 'cik8lid',
  '+': '044v440',
  '>': 'g84248g',
  '?': 'eh12404',
  '%': 'op248j3',
  ' ': '0000000',
};

/** Rows of a character as five-bit numbers; small letters as capitals, unknown ones as `?`. */
export function glyphRows(character: string): readonly number[] {
  const glyph = GLYPHS[character.toUpperCase()] ?? GLYPHS['?'] ?? '';
  return Array.from(glyph).map((row) => Number.parseInt(row, 32));
}
