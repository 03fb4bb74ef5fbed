/** What code in a sandbox writes to its output: handed on line by line, within limits. */

/** Lines that are handed on, and characters of each. */
const MAX_LINES = 100;
const MAX_CHARACTERS = 300;

/** Kept to find the reason why a process ended. */
const KEPT_CHARACTERS = 16_384;

export interface Spoken {
  add(chunk: Uint8Array): void;
  /** The end of all that was said. */
  readonly last: () => string;
}

/** @param report called with each line, without control characters. */
export function listenTo(report: (line: string) => void): Spoken {
  let lines = 0;
  let rest = '';
  let kept = '';
  return {
    add(chunk) {
      const text = Buffer.from(chunk).toString('utf8');
      kept = `${kept}${text}`.slice(-KEPT_CHARACTERS);
      if (lines > MAX_LINES) return;
      const parts = `${rest}${text}`.split('\n');
      rest = (parts.pop() ?? '').slice(0, MAX_CHARACTERS);
      for (const line of parts) {
        lines += 1;
        if (lines > MAX_LINES) {
          report('(it says more than is shown)');
          return;
        }
        report(plainText(line));
      }
    },
    last: () => kept,
  };
}

/** A foreign text for a message: short, and without control characters. */
export function plainText(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return plain.length <= MAX_CHARACTERS ? plain : `${plain.slice(0, MAX_CHARACTERS - 3)}...`;
}
