/** A Dockerfile as a list of instructions. */
import { PkgError } from '../runtime/errors.ts';

/** The manifest key that errors of this file are about. */
const KEY = 'environment.dockerfile';

/** Dockerfiles are a few kB. */
const MAX_SIZE_BYTES = 1 << 20;

/** An instruction with its continuation lines joined; what a here-document holds is left out. */
export interface Instruction {
  /** In capitals. */
  readonly keyword: string;
  /** What follows the keyword, without the blanks around it. */
  readonly rest: string;
  /** The line it begins in, from 1. */
  readonly line: number;
}

/**
 * The instructions of a Dockerfile in their order; `file` only names it in messages. Source of the format:
 * https://docs.docker.com/reference/dockerfile/ and BuildKit's parser where that is silent.
 * @throws PkgError `manifest` with the key environment.dockerfile.
 */
export function parseDockerfile(bytes: Uint8Array, file: string): readonly Instruction[] {
  if (bytes.length > MAX_SIZE_BYTES) {
    throw dockerfileError(`${file} is larger than ${String(MAX_SIZE_BYTES)} bytes`);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const lines = text
    .replace(/^\u{feff}/u, '')
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const escape = escapeCharacter(lines);
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; ) {
    const { text: joined, next } = joinLines(lines, at, escape);
    const line = at + 1;
    at = next;
    if (joined === '') continue;
    const [keyword = ''] = joined.split(/\s/, 1);
    const instruction = {
      keyword: keyword.toUpperCase(),
      rest: joined.slice(keyword.length).trim(),
      line,
    };
    instructions.push(instruction);
    for (const end of hereDocuments(instruction)) at = skipHereDocument(lines, at, end, file);
  }
  return instructions;
}

/** The error for a Dockerfile that cannot be pinned. */
export function dockerfileError(message: string, hint?: string): PkgError {
  return new PkgError('manifest', message, { key: KEY, ...(hint === undefined ? {} : { hint }) });
}

/** The character that joins lines: a directive of the first lines may choose a backtick. */
function escapeCharacter(lines: readonly string[]): string {
  for (const line of lines) {
    if (!line.startsWith('#')) break;
    const [name = '', value] = line.slice(1).split('=', 2);
    if (value === undefined || !/^[a-z]+$/i.test(name.trim())) break;
    if (name.trim().toLowerCase() === 'escape' && value.trim() === '`') return '`';
  }
  return '\\';
}

/** A line with those that continue it, without the comments and empty lines between. */
function joinLines(lines: readonly string[], at: number, escape: string) {
  const parts: string[] = [];
  let next = at;
  for (let goesOn = true; goesOn && next < lines.length; next++) {
    const line = lines[next] ?? '';
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) {
      if (parts.length === 0) return { text: '', next: next + 1 };
      continue;
    }
    const end = line.trimEnd();
    goesOn = end.endsWith(escape) && !end.endsWith(escape + escape);
    parts.push(goesOn ? end.slice(0, -1) : line);
  }
  return { text: parts.join('').trim(), next };
}

/** A here-document's last line; tabs before it may be left out. */
interface HereDocumentEnd {
  readonly name: string;
  readonly stripTabs: boolean;
}

const TAKES_HERE_DOCUMENTS = /^(?:RUN|COPY|ADD)$/;

function hereDocuments({ keyword, rest }: Instruction): readonly HereDocumentEnd[] {
  const [inner = '', ...words] =
    keyword === 'ONBUILD' ? splitWords(rest) : [keyword, ...splitWords(rest)];
  if (!TAKES_HERE_DOCUMENTS.test(inner.toUpperCase())) return [];
  return words.flatMap((word) => {
    const match = /^\d*<<(-?)([^<]+)$/.exec(word);
    const name = match?.[2]?.replace(/["']/g, '') ?? '';
    return name === '' ? [] : [{ name, stripTabs: match?.[1] === '-' }];
  });
}

function skipHereDocument(
  lines: readonly string[],
  at: number,
  { name, stripTabs }: HereDocumentEnd,
  file: string,
): number {
  for (let next = at; next < lines.length; next++) {
    const line = lines[next] ?? '';
    if ((stripTabs ? line.replace(/^\t+/, '') : line) === name) return next + 1;
  }
  throw dockerfileError(`${file}:${String(at)}: its here-document does not end`);
}

/** Words between blanks; quoted blanks do not part them, and quotes stay. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (const character of text) {
    if (quote === '' && /\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    word += character;
  }
  return word === '' ? words : [...words, word];
}
