/** A DuckDB connection with bounded memory that reads only the files it is given. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** The pinned version of DuckDB, for the toolchain digest; nothing heavy is loaded for it. */
export const DUCKDB_VERSION = '1.5.6';

export interface SqlLimits {
  /** What DuckDB may hold in memory; past it, sorts and joins go to `temporaryFolder`. */
  readonly memoryMegabytes: number;
  readonly threads: number;
  readonly temporaryFolder: string;
  /** Files that may be read or written; nothing else outside memory can be. */
  readonly files: readonly string[];
}

/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A file's path as an SQL literal for a reader, which takes it for a pattern: signs stand for themselves. */
export function sqlPath(path: string): string {
  return sqlText(escapePattern(path));
}

function escapePattern(path: string): string {
  return path.replace(/[*?[]/g, (sign) => `[${sign}]`);
}

/**
 * Runs `work` on a fresh in-memory database. No extension is loaded, and no file but the named ones
 * is reachable, which no statement can undo. Aborts with the runtime's signal.
 */
export async function withDatabase<T>(
  runtime: Runtime,
  limits: SqlLimits,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${String(limits.memoryMegabytes)}MB`,
    threads: String(limits.threads),
    temp_directory: limits.temporaryFolder,
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const onAbort = () => {
    connection.interrupt();
  };
  runtime.signal.addEventListener('abort', onAbort, { once: true });
  try {
    // A reader is checked twice: by the pattern it is given, and by the path which that matches.
    const allowed = new Set(limits.files.flatMap((path) => [path, escapePattern(path)]));
    await connection.run(
      `SET allowed_paths = [${[...allowed].map(sqlText).join(', ')}];` +
        'SET enable_external_access = false',
    );
    return await work(connection);
  } catch (error) {
    runtime.signal.throwIfAborted();
    throw explainDatabaseError(error, limits);
  } finally {
    runtime.signal.removeEventListener('abort', onAbort);
    connection.closeSync();
    instance.closeSync();
  }
}

function explainDatabaseError(error: unknown, limits: SqlLimits): unknown {
  if (!(error instanceof Error) || error instanceof PkgError) return error;
  if (/No space left on device|failed to offload|max_temp_directory_size/i.test(error.message)) {
    return new PkgError('storage', `cannot write in ${limits.temporaryFolder}: the disk is full`, {
      hint: 'Free some space, then run the same command again.',
      cause: error,
    });
  }
  if (/Out of Memory Error/.test(error.message)) {
    return new PkgError('storage', 'the query needs more memory than its limit allows', {
      hint: 'Select fewer classes, or run it with a lower --concurrency.',
      cause: error,
    });
  }
  return error;
}

/** Sets what DuckDB may hold from now on, and locks all settings. */
export async function fixMemory(connection: DuckDBConnection, megabytes: number): Promise<void> {
  await connection.run(
    `SET memory_limit = '${String(megabytes)}MB'; SET lock_configuration = true`,
  );
}
