/** The command line: arguments in; results, errors and an exit code out. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command as Commander, CommanderError, InvalidArgumentError } from 'commander';
import {
  createRuntime,
  messageOf,
  openRegistry,
  openStore,
  PkgError,
  type S3Access,
} from '../index.ts';
import type { AnyCommand, CommandContext } from './command.ts';
import { buildCommand } from './commands/build.ts';
import { initCommand } from './commands/init.ts';
import { installCommand } from './commands/install.ts';
import { lockCommand } from './commands/lock.ts';
import { logCommand } from './commands/log.ts';
import { lsCommand } from './commands/ls.ts';
import { pushCommand } from './commands/push.ts';
import { showCommand } from './commands/show.ts';
import { verifyCommand } from './commands/verify.ts';
import { createDisplay, type ProgressDisplay } from './progress.ts';

const VERSION = '0.1.0';

const COMMANDS: readonly AnyCommand[] = [
  ...[initCommand, lockCommand, buildCommand, pushCommand, installCommand, verifyCommand],
  ...[lsCommand, logCommand, showCommand],
];

const EXIT_BUG = 1;
const EXIT_USAGE = 2;

const EXIT_CODES_HELP = `
Exit codes: 0 done, 2 usage, 3 done but images are missing, 10 manifest, 11 lockfile,
12 not found, 13 integrity, 15 unreachable or no room, 16 conflict, 130 interrupted.`;

/** Flags that every command takes. */
interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly store?: string;
  readonly concurrency?: number;
  readonly registry?: string;
  readonly endpoint?: string;
}

/** Runs this process's arguments and ends it with the exit code. */
export async function runProcess(): Promise<void> {
  const controller = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 'interrupted'],
    ['SIGTERM', 'terminated'],
  ] as const) {
    process.once(signal, () => {
      controller.abort(new PkgError(code, `${code}; what is done so far is kept`));
    });
  }
  process.exitCode = await main(process.argv.slice(2), controller.signal);
}

/** Runs one command line and returns the exit code. */
async function main(argv: readonly string[], signal: AbortSignal): Promise<number> {
  let exitCode = 0;
  const program = createProgram(async (command, input, flags) => {
    exitCode = await runCommand(command, input, flags, signal);
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
}

type Run = (command: AnyCommand, input: object, flags: CommonFlags) => Promise<void>;

function createProgram(run: Run): Commander {
  const program = new Commander('pkg')
    .description('Datasets and models that anyone can rebuild, bit for bit.')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES_HELP);
  for (const command of COMMANDS) addCommand(program, command, run);
  return program;
}

function addCommand(program: Commander, command: AnyCommand, run: Run): void {
  const sub = program.command(command.name).description(command.summary);
  for (const [notation, help] of command.positionals) sub.argument(notation, help);
  for (const [flags, help] of command.options) sub.option(flags, help);
  sub
    .option('--store <folder>', 'where built and fetched things are kept (default: PKG_STORE)')
    .option('--concurrency <n>', 'workers (default: the number of cores)', parseWorkers)
    .option('--json', 'print the result as one JSON document')
    .option('--quiet', 'print nothing but results and errors')
    .option('--verbose', 'print what happens, and stacks of errors')
    .action(async (...received: unknown[]) => {
      const names = command.positionals.map(([notation]) => notation.replace(/[<>[\].]/g, ''));
      const positionals = Object.fromEntries(names.map((name, index) => [name, received[index]]));
      const flags: CommonFlags = sub.opts();
      await run(command, { ...positionals, ...flags }, flags);
    });
}

function parseWorkers(text: string): number {
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 1024) return workers;
  throw new InvalidArgumentError('expected a whole number from 1 to 1024');
}

async function runCommand(
  command: AnyCommand,
  input: object,
  flags: CommonFlags,
  signal: AbortSignal,
): Promise<number> {
  const display = createDisplay({
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
    registryGiven: flags.registry !== undefined,
    openStore: () => openStore(flags.store ?? env['PKG_STORE'] ?? defaultStore(), Date.now()),
    openRegistry: async (purpose) => {
      if (address === undefined || address === '') {
        throw new PkgError('usage', 'no registry was named', {
          hint: 'Name one with --registry (s3://bucket or a folder), or set PKG_REGISTRY.',
        });
      }
      return await openRegistry(runtime, address, s3, purpose);
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
