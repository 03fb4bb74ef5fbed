/** The command line: which command is meant, and its arguments; only that command is loaded. */
import { Command as Commander, CommanderError, InvalidArgumentError } from 'commander';
import type { AnyCommand } from './command.ts';
import type { CommonFlags } from './run.ts';

const VERSION = '0.1.0';

/** A command's place in the help, and the file that is loaded only when it is called. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<AnyCommand>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'Begin a manifest from a template',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    name: 'lock',
    summary: 'Resolve every input of a manifest to a digest',
    load: async () => (await import('./commands/lock.ts')).lockCommand,
  },
  {
    name: 'build',
    summary: 'Build the package of a manifest and print its top hash',
    load: async () => (await import('./commands/build.ts')).buildCommand,
  },
  {
    name: 'push',
    summary: 'Push a built package, or a folder, to a registry',
    load: async () => (await import('./commands/push.ts')).pushCommand,
  },
  {
    name: 'install',
    summary: 'Install a package, or a part of it, checked while it arrives',
    load: async () => (await import('./commands/install.ts')).installCommand,
  },
  {
    name: 'verify',
    summary: 'Check an installed folder, or with --registry the objects there',
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  {
    name: 'reproduce',
    summary: "Do segments of a package's training again and compare",
    load: async () => (await import('./commands/reproduce.ts')).reproduceCommand,
  },
  {
    name: 'ls',
    summary: 'List the packages of a registry, or the files of a package',
    load: async () => (await import('./commands/ls.ts')).lsCommand,
  },
  {
    name: 'log',
    summary: 'List the revisions of a package, newest first',
    load: async () => (await import('./commands/log.ts')).logCommand,
  },
  {
    name: 'show',
    summary: 'Show what a revision is: message, metadata, folders and sizes',
    load: async () => (await import('./commands/show.ts')).showCommand,
  },
  {
    name: 'predict',
    summary: 'Say what the model of a package sees in photos',
    load: async () => (await import('./commands/predict.ts')).predictCommand,
  },
];

const EXIT_USAGE = 2;

const EXIT_CODES_HELP = `
Exit codes: 0 done, 2 usage, 3 done but images are missing, 10 manifest, 11 lockfile,
12 not found, 13 integrity, 14 not reproduced, 15 unreachable or no room, 16 conflict, 130 interrupted.`;

/** Runs this process's arguments and ends it with the exit code. */
export async function runProcess(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endWithReader);
  process.exitCode = await main(process.argv.slice(2));
}

/** A reader such as `head` may have had enough: that is no error, and nobody is left to tell. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

/** Runs one command line and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = await createProgram(argv, async (command, input, flags) => {
    const { runCommand } = await import('./run.ts');
    exitCode = await runCommand(command, input, flags);
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Without a command, commander has printed the help.
    if (error.code === 'commander.help') return EXIT_USAGE;
    const { reportUsage } = await import('./run.ts');
    return reportUsage(error.message.replace(/^error: /, ''), argv.includes('--json'));
  }
}

type Run = (command: AnyCommand, input: object, flags: CommonFlags) => Promise<void>;

async function createProgram(argv: readonly string[], run: Run): Promise<Commander> {
  const program = new Commander('pkg')
    .description('Datasets and models that anyone can rebuild, bit for bit.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES_HELP);
  for (const entry of COMMANDS) {
    const sub = program.command(entry.name).description(entry.summary);
    if (argv.includes(entry.name)) addDetails(sub, await entry.load(), run);
  }
  return program;
}

function addDetails(sub: Commander, command: AnyCommand, run: Run): void {
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
