/** Findings: what is wrong with a registry, each by the key at which it is. */
import type { Entry } from '../package/entry.ts';

/**
 * `changed`: other bytes than there should be; `truncated`: fewer; `missing`: none; `extra`: nothing
 * needs it; `broken`: right bytes that do not agree with the rest of the registry.
 */
export type FindingKind = 'changed' | 'truncated' | 'missing' | 'extra' | 'broken';

export interface RegistryFinding {
  readonly kind: FindingKind;
  /** The key in the registry, or the physical key of what lies outside of it. */
  readonly key: string;
  readonly why: string;
  /** The revisions that lose something by it, as `user/name@<top hash>`. */
  readonly packages?: readonly string[];
}

/** A finding with what whoever wants to restore it needs to know. */
export interface Fault extends RegistryFinding {
  /** Entries that are lost by it, those of equal bytes once for each list. */
  readonly lost?: readonly Entry[];
  /** What has to stand at the key, where that could be made of the rest of the registry. */
  readonly remedy?: Buffer;
  /** Follows from another finding, and is only there for its remedy. */
  readonly isHidden?: boolean;
}

/** What is said of a fault to a user. */
export function findingOf({ kind, key, why, packages }: Fault): RegistryFinding {
  return { kind, key, why, ...(packages === undefined ? {} : { packages }) };
}

/** Why something extra may be there, and what to do. */
export const EXTRA =
  'no revision reaches it: a push in flight, one that was killed, or a removed revision left it; ' +
  'pkg registry sweep removes it';

/** Names of files that a sentence gives as examples. */
const MAX_EXAMPLES = 3;

interface Problem {
  readonly kind: FindingKind;
  readonly why: string;
  /** How many bytes are there, where that tells something. */
  readonly sizeBytes: number | undefined;
  readonly packages: Set<string>;
  readonly lost: Entry[];
  isTruncated: boolean;
}

/** Damage at keys, of which it turns out later what is lost by it. */
export class Problems {
  readonly #problems = new Map<string, Problem>();

  get size(): number {
    return this.#problems.size;
  }

  has(key: string): boolean {
    return this.#problems.has(key);
  }

  /** Notes that something is wrong at a key, unless that is known. */
  note(key: string, kind: FindingKind, why: string, sizeBytes?: number): void {
    if (this.#problems.has(key)) return;
    this.#problems.set(key, {
      ...{ kind, why, sizeBytes, packages: new Set<string>(), lost: [] },
      isTruncated: false,
    });
  }

  /** Notes that an entry of some revisions is lost by what is wrong at a key. */
  blame(key: string, entry: Entry, packages: Iterable<string>): void {
    const problem = this.#problems.get(key);
    if (problem === undefined) return;
    for (const name of packages) problem.packages.add(name);
    problem.lost.push(entry);
    const { sizeBytes = Number.POSITIVE_INFINITY } = problem;
    if (problem.kind === 'changed' && sizeBytes < entry.sizeBytes) problem.isTruncated = true;
  }

  *faults(): Generator<Fault> {
    for (const [key, problem] of this.#problems) {
      const { kind, why, packages, lost, isTruncated } = problem;
      const examples = [...new Set(lost.slice(0, MAX_EXAMPLES).map((entry) => entry.logicalKey))];
      const more =
        lost.length > MAX_EXAMPLES ? ` and ${String(lost.length - MAX_EXAMPLES)} more` : '';
      const loss = lost.length === 0 ? '' : `; with it is lost ${examples.join(', ')}${more}`;
      yield {
        ...{ kind: isTruncated ? 'truncated' : kind, key, why: `${why}${loss}`, lost },
        ...(packages.size === 0 ? {} : { packages: [...packages].sort() }),
      };
    }
  }
}

/** Said of objects that are not what their name, or the list that points at them, says. */
export const OTHER_BYTES = 'its bytes are not those of its digest';
