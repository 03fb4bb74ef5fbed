/** A time limit on work that does not yield. */
import { type Context, createContext, Script } from 'node:vm';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';

/**
 * How long one check may run. A regular expression can need longer than the universe has been there
 * for one short text, and blocks the process as long.
 */
export const MAX_CHECK_MS = 30_000;

/**
 * Runs what others' regular expressions may keep busy.
 * @throws PkgError `usage` where it takes longer than `maxMs`.
 */
export function withinTime<T>(work: () => T, maxMs = MAX_CHECK_MS, name = 'a pattern'): T {
  const results: T[] = [];
  timed.work = () => void results.push(work());
  timed.context ??= createContext(timed);
  try {
    // The limit also holds for what the script calls outside of its context.
    CALL.runInContext(timed.context, { timeout: maxMs });
  } catch (error) {
    if (systemErrorCode(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new PkgError('usage', `checking by ${name} takes over ${String(maxMs / 1000)} seconds`, {
      hint: 'One of its regular expressions is likely to blame; ask whoever keeps the registry.',
      cause: error,
    });
  }
  const [result] = results;
  if (result === undefined) throw new Error('the work returned nothing');
  return result;
}

const CALL = new Script('work()');

/** The global object of the context in which work is timed. */
const timed: { work: () => void; context?: Context } = { work: () => undefined };
