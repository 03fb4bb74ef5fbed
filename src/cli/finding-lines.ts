/** Findings of checks, as lines. */
import type { Finding, RegistryFinding } from '../index.ts';
import { columns } from './text.ts';

/** Integrity: bytes differ from their digest. */
export const EXIT_INTEGRITY = 13;

/** What is wrong and where, and in a registry why that is so and which packages suffer. */
export function findingLines(findings: readonly (Finding | RegistryFinding)[]): string {
  return columns(
    findings.map((finding) => {
      if ('logicalKey' in finding) return [finding.kind, finding.logicalKey];
      const { kind, key, why, packages = [] } = finding;
      const of = packages.length === 0 ? '' : ` (of ${packages.map(shorten).join(', ')})`;
      return [kind, key, `${why}${of}`];
    }),
  );
}

function shorten(revision: string): string {
  return revision.replace(/@([0-9a-f]{12})[0-9a-f]+$/, '@$1');
}
