/** Files that differ, as a table of kinds and the names of some of them. */
import type { Comparison } from '../index.ts';
import { printable } from './printable.ts';
import { columns, formatBytes } from './text.ts';

type Files = Comparison['files'];

const STATES = ['same', 'changed', 'added', 'removed', 'moved'] as const;

const STATE_WIDTH = Math.max(...STATES.map((state) => state.length));

/** A line a kind, then names; nothing where no file differs. */
export function diffFileLines(files: Files): readonly string[] {
  const { kinds, otherMeta } = files;
  const names = STATES.flatMap((state) => (state === 'same' ? [] : stateLines(files, state)));
  const meta = otherMeta.files === 0 ? [] : metaLines(otherMeta);
  if (names.length === 0) return meta;
  const rows = kinds.map((kind) => [
    kindName(kind.kind),
    ...STATES.map((state) => sumText(kind[state])),
  ]);
  const table = columns([['', ...STATES], ...rows]);
  return [...table.split('\n'), ...names, ...meta];
}

function kindName(kind: string): string {
  return kind === '' ? '(top)' : `${printable(kind)}/`;
}

function sumText({ files, sizeBytes }: Files['kinds'][number]['same']): string {
  return files === 0 ? '-' : `${String(files)} (${formatBytes(sizeBytes)})`;
}

type Difference = Exclude<(typeof STATES)[number], 'same'>;

function stateLines(files: Files, state: Difference): readonly string[] {
  const named = nameRows(files, state);
  const texts = columns(named.map(({ cells }) => cells)).split('\n');
  const lines = files.kinds.flatMap(({ kind, [state]: { files: all } }) => {
    const own = texts.filter((_, row) => named[row]?.kind === kind);
    const rest = all - own.length;
    return rest > 0 ? [...own, `and ${String(rest)} more in ${kindName(kind)}`] : own;
  });
  return lines.map((line, row) => `${(row === 0 ? state : '').padEnd(STATE_WIDTH)}  ${line}`);
}

interface NameRow {
  readonly kind: string;
  readonly cells: readonly string[];
}

function nameRows(files: Files, state: Difference): readonly NameRow[] {
  const key = (file: { readonly logicalKey: string }) => printable(file.logicalKey);
  switch (state) {
    case 'changed':
      return files.changed.map((file) => {
        const sizes = `${formatBytes(file.sizeBytesBefore)} -> ${formatBytes(file.sizeBytes)}`;
        return { kind: file.kind, cells: [key(file), sizes] };
      });
    case 'added':
    case 'removed':
      return files[state].map((file) => ({
        kind: file.kind,
        cells: [key(file), formatBytes(file.sizeBytes)],
      }));
    case 'moved':
      return files.moved.map((file) => ({
        kind: file.kind,
        cells: [`${printable(file.from)} -> ${printable(file.logicalKey)}`],
      }));
  }
}

function metaLines({ files, names }: Files['otherMeta']): readonly string[] {
  const rest = files - names.length;
  const more = rest > 0 ? ` and ${String(rest)} more` : '';
  return [`same bytes, other metadata: ${names.map(printable).join(', ')}${more}`];
}
