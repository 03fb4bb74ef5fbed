/** From YAML text to a manifest, with the place of every problem. */
import { isMap, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { issuesError } from './issues.ts';
import type { KeyPath } from './known-keys.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** A longer text is refused before it is parsed; real manifests stay under 10 kB. */
export const MAX_MANIFEST_BYTES = 1 << 20;

/** Aliases may repeat small parts; more than this many resolved is an attack on memory. */
const MAX_ALIASES = 100;

/** Deeper nesting than any key of the manifest has, and far from the parser's own stack. */
const MAX_DEPTH = 100;

/** A manifest with the text it came from. */
export interface ManifestSource {
  readonly manifest: Manifest;
  readonly text: string;
  readonly file: string;
  /** `file:line:column` of a key such as `data.query.classes.0`, or of the nearest one above it. */
  locate(key: string): string;
}

/**
 * Parses and checks a manifest; `file` only names it in messages.
 * @throws PkgError `manifest` with file:line:column, the key, what was expected and, for a misspelt
 * word, the nearest known one.
 */
export function parseManifest(text: string, file: string): ManifestSource {
  if (Buffer.byteLength(text) > MAX_MANIFEST_BYTES) {
    throw new PkgError(
      'manifest',
      `${file}:1:1: the manifest is larger than ${String(MAX_MANIFEST_BYTES)} bytes`,
      { hint: 'Is this the right file? A manifest is a short recipe.' },
    );
  }
  const { root, value, place } = parseYaml(text, file);
  const locatePath = (path: KeyPath, at: 'key' | 'value' = 'value') =>
    place(findOffset(root, path, at));
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw issuesError(parsed.error.issues, value, locatePath);
  return {
    manifest: parsed.data,
    text,
    file,
    locate: (key) => locatePath(key.split('.')),
  };
}

/** Adds the place in the manifest to a `manifest` error that names only a key. */
export function withPlace(source: ManifestSource, error: unknown): unknown {
  if (!(error instanceof PkgError) || error.code !== 'manifest' || error.key === undefined) {
    return error;
  }
  return new PkgError('manifest', `${source.locate(error.key)}: ${error.key}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

function parseYaml(text: string, file: string) {
  const lineCounter = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
  };
  refuseDeepNesting(text, file);
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw new PkgError('manifest', `${place(problem.pos[0])}: not valid YAML: ${problem.message}`);
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { root: document.contents, value, place };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new PkgError('manifest', `${place(0)}: not valid YAML: ${messageOf(error)}`, {
      hint: 'Write the repeated parts out instead of using aliases.',
      cause: error,
    });
  }
}

/** Bounds how deep brackets and indentation can nest before a recursive parser sees the text. */
function refuseDeepNesting(text: string, file: string): void {
  const fail = (line: number, column: number) => {
    throw new PkgError('manifest', `${file}:${String(line)}:${String(column)}: nested too deeply`);
  };
  let depth = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const steps = /^(?:[ \t]|- |\? )*/.exec(line)?.[0].length ?? 0;
    if (steps > 4 * MAX_DEPTH) fail(index + 1, steps);
    for (let column = 0; column < line.length; column++) {
      const character = line[column];
      if (character === '[' || character === '{') depth++;
      if (character === ']' || character === '}') depth--;
      if (depth > MAX_DEPTH) fail(index + 1, column + 1);
    }
  }
}

function findOffset(root: ParsedNode | Node | null, path: KeyPath, at: 'key' | 'value'): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String(item.key) === String(part));
      if (pair === undefined) return offset;
      const atKey = at === 'key' && depth === path.length - 1;
      offset = rangeStart(atKey ? pair.key : pair.value) ?? rangeStart(pair.key) ?? offset;
      node = pair.value;
    } else {
      const item = typeof node === 'object' && node !== null && 'items' in node ? node.items : [];
      const found: unknown = Array.isArray(item) ? item[Number(part)] : undefined;
      if (found === undefined) return offset;
      offset = rangeStart(found) ?? offset;
      node = found;
    }
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  const range = node.range;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}
