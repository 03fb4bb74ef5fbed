/** Running a command in this process: its surroundings, its output and its end. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  createRuntime,
  messageOf,
  openStorage,
  openStore,
  PkgError,
  type S3Access,
} from '../index.ts';
import type { AnyCommand, CommandContext } from './command.ts';
import { createDisplay, type ProgressDisplay } from './progress.ts';

const EXIT_BUG = 1;

/** Flags that every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly store?: string;
  readonly concurrency?: number;
  readonly registry?: string;
  readonly endpoint?: string;
}

/** Runs a command, prints its result or its error, and returns the exit code. */
export async function runCommand(
  command: AnyCommand,
  input: object,
  flags: CommonFlags,
): Promise<number> {
  const signal = abortOnSignals();
  const display = await createDisplay({
    stream: process.stderr,
    style: displayStyle(flags),
    now: Date.now,
    warn: flags.json !== true,
  });
  try {
    const outcome = await command.execute(createContext(flags, signal, display), input);
    display.stop();
    const text = flags.json === true ? toJson(outcome.json, display.warnings) : outcome.text;
    if (text !== '') process.stdout.write(`${text}\n`);
    return outcome.exitCode;
  } catch (error) {
    display.stop();
    const reason: unknown = signal.aborted ? signal.reason : error;
    process.stderr.write(`${formatError(reason, flags)}\n`);
    return reason instanceof PkgError ? reason.exitCode : EXIT_BUG;
  }
}

/** Reports words that make no command, and returns the exit code for that. */
export function reportUsage(message: string, json: boolean): number {
  const usage = new PkgError('usage', message, {
    hint: 'See: pkg --help, or pkg <command> --help',
  });
  process.stderr.write(`${formatError(usage, { json })}\n`);
  return usage.exitCode;
}

/** A signal that aborts at the first SIGINT or SIGTERM; a second one kills as it always does. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 'interrupted'],
    ['SIGTERM', 'terminated'],
  ] as const) {
    process.once(signal, () => {
      controller.abort(new PkgError(code, `${code}; what is done so far is kept`));
    });
  }
  return controller.signal;
}

function createContext(
  flags: CommonFlags,
  signal: AbortSignal,
  display: ProgressDisplay,
): CommandContext {
  const { env } = process;
  const runtime = createRuntime({
    signal,
    report: display.report,
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
  });
  const s3: S3Access = {
    endpoint: flags.endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'],
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
  };
  const address = flags.registry ?? env['PKG_REGISTRY'];
  return {
    runtime,
    s3,
    configFolder: env['PKG_CONFIG'] ?? defaultConfig(),
    registryGiven: flags.registry !== undefined,
    printLine: flags.json === true ? undefined : (line) => void process.stdout.write(`${line}\n`),
    openStore: () => openStore(flags.store ?? env['PKG_STORE'] ?? defaultStore(), Date.now()),
    openRegistry: async (purpose) => {
      if (address === undefined || address === '') {
        throw new PkgError('usage', 'no registry was named', {
          hint: 'Name one with --registry (s3://bucket or a folder), or set PKG_REGISTRY.',
        });
      }
      return await openStorage(runtime, address, s3, purpose);
    },
  };
}

/** The user's cache folder, as the platform has it. */
function defaultStore(): string {
  const { env, platform } = process;
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'pkg');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'pkg');
  return join(homedir(), '.cache', 'pkg');
}

/** The user's configuration folder, as the platform has it. */
function defaultConfig(): string {
  const { env, platform } = process;
  if (env['XDG_CONFIG_HOME']) return join(env['XDG_CONFIG_HOME'], 'pkg');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'pkg');
  return join(homedir(), '.config', 'pkg');
}

function displayStyle(flags: CommonFlags): 'bars' | 'lines' | 'none' {
  if (flags.quiet === true || flags.json === true) return 'none';
  if (flags.verbose === true) return 'lines';
  return process.stderr.isTTY ? 'bars' : 'none';
}

function toJson(result: unknown, warnings: readonly string[]): string {
  const document =
    warnings.length > 0 && typeof result === 'object' ? { ...result, warnings } : result;
  return JSON.stringify(document, null, 2);
}

function formatError(error: unknown, flags: CommonFlags): string {
  const known = error instanceof PkgError ? error : undefined;
  if (flags.json === true) {
    const { code = 'bug', exitCode = EXIT_BUG, hint } = known ?? {};
    return JSON.stringify({ error: { code, exitCode, message: messageOf(error), hint } });
  }
  const stack =
    error instanceof Error && (flags.verbose === true || known === undefined) ? error.stack : '';
  const lines =
    known === undefined
      ? [`internal error: ${messageOf(error)}`, flags.verbose === true ? stack : BUG_HINT]
      : [`error: ${known.message}`, known.hint, flags.verbose === true ? stack : undefined];
  return lines.filter((line) => line !== undefined && line !== '').join('\n');
}

const BUG_HINT = 'This is a bug of pkg. Run the command again with --verbose and report the stack.';
