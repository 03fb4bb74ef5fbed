/** What the flags of a sweep say, as values. */
import { DEFAULT_GRACE_MS, PkgError, type Retention } from '../index.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A time such as `30m`, `24h` or `7d` in milliseconds; a day where none is given.
 * @throws PkgError `usage` for anything else.
 */
export function parseGrace(text: string | undefined): number {
  if (text === undefined) return DEFAULT_GRACE_MS;
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (number !== undefined && unitMs !== undefined) return Number(number) * unitMs;
  throw new PkgError('usage', `--grace ${text} is not a time`, {
    hint: 'Write a number and s, m, h or d, as in 30m, 24h or 7d.',
  });
}

export interface RetentionFlags {
  readonly keepLast?: string | undefined;
  readonly keepTagged: boolean;
  readonly names: readonly string[];
}

/**
 * Which revisions are kept; undefined where all are.
 * @throws PkgError `usage` for flags that do not fit together.
 */
export function retentionOf({
  keepLast,
  keepTagged,
  names,
}: RetentionFlags): Retention | undefined {
  if (keepLast === undefined) {
    if (!keepTagged && names.length === 0) return undefined;
    throw new PkgError('usage', 'names and --keep-tagged only go with --keep-last', {
      hint: 'Say how many revisions of each package to keep, with --keep-last <n>.',
    });
  }
  if (/^[1-9]\d{0,5}$/.test(keepLast)) return { keepLast: Number(keepLast), keepTagged, names };
  throw new PkgError('usage', `--keep-last ${keepLast} is not a number from 1`, {
    hint: 'At least one revision of each package is kept; pkg rm --all removes a package.',
  });
}
