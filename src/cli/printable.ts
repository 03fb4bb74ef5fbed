/** Texts of others on a terminal. */

/** Names of files and classes are anyone's; a terminal obeys control characters. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}
