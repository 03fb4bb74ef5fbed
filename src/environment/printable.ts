/** Texts of foreign files, as they may be shown. */

const MAX_LENGTH = 200;

/** A foreign text without control characters, cut after 200 characters. */
export function printable(text: string): string {
  const cut = text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}...`;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
