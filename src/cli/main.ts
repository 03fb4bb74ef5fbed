/** The command line: which command is meant, and its arguments; only that command is loaded. */
import { Command as Commander, CommanderError, InvalidArgumentError } from 'commander';
import type { AnyCommand } from './command.ts';
import { VERSION } from './host.ts';
import type { CommonFlags } from './run.ts';

/** A command's place in the help, and the file that is loaded only when it is called. */
interface CommandEntry {
  /** One word, or two for a command of a group, such as `registry sweep`. */
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
    summary: 'Check an installed folder, or with --registry a package or all that is there',
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  {
    name: 'reproduce',
    summary: 'Build a published package again and compare it byte by byte',
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
    name: 'diff',
    summary: 'Say what differs between two revisions, folders or lockfiles',
    load: async () => (await import('./commands/diff.ts')).diffCommand,
  },
  {
    name: 'why',
    summary: 'Say what a file of a package was made of, and whose it is',
    load: async () => (await import('./commands/why.ts')).whyCommand,
  },
  {
    name: 'impact',
    summary: 'Say what in a registry holds a photo, author, licence or URL, or learnt of it',
    load: async () => (await import('./commands/impact.ts')).impactCommand,
  },
  {
    name: 'git-merge',
    summary: 'Merge two lockfiles; git calls it',
    load: async () => (await import('./commands/git-merge.ts')).gitMergeCommand,
  },
  {
    name: 'env check',
    summary: 'Say what of the environment is not as a package pins it',
    load: async () => (await import('./commands/env-check.ts')).envCheckCommand,
  },
  {
    name: 'env dockerfile',
    summary: 'Write a Dockerfile that reproduces a package when it is built',
    load: async () => (await import('./commands/env-dockerfile.ts')).envDockerfileCommand,
  },
  {
    name: 'tag',
    summary: 'Give a revision a further name',
    load: async () => (await import('./commands/tag.ts')).tagCommand,
  },
  {
    name: 'untag',
    summary: 'Take a name from a revision',
    load: async () => (await import('./commands/untag.ts')).untagCommand,
  },
  {
    name: 'rm',
    summary: 'Remove a revision, or a name, from a registry',
    load: async () => (await import('./commands/rm.ts')).rmCommand,
  },
  {
    name: 'repair',
    summary: 'Put right what is damaged or missing in a registry',
    load: async () => (await import('./commands/repair.ts')).repairCommand,
  },
  {
    name: 'registry create',
    summary: 'Make a registry that keeps objects in packs, or one by one',
    load: async () => (await import('./commands/registry-create.ts')).registryCreateCommand,
  },
  {
    name: 'registry convert',
    summary: 'Keep the objects of a registry in the other way',
    load: async () => (await import('./commands/registry-convert.ts')).registryConvertCommand,
  },
  {
    name: 'registry sweep',
    summary: 'Remove what no revision reaches; a dry run without --delete',
    load: async () => (await import('./commands/registry-sweep.ts')).registrySweepCommand,
  },
  {
    name: 'prove',
    summary: 'Print the proof that a file belongs to a signed package',
    load: async () => (await import('./commands/prove.ts')).proveCommand,
  },
  {
    name: 'keys generate',
    summary: 'Make a key to sign releases with',
    load: async () => (await import('./commands/keys.ts')).keysGenerateCommand,
  },
  {
    name: 'keys list',
    summary: 'List the keys to sign releases with',
    load: async () => (await import('./commands/keys.ts')).keysListCommand,
  },
  {
    name: 'trust add',
    summary: 'Let the signatures of a key count',
    load: async () => (await import('./commands/trust.ts')).trustAddCommand,
  },
  {
    name: 'trust list',
    summary: 'List whose signatures count for which packages',
    load: async () => (await import('./commands/trust.ts')).trustListCommand,
  },
  {
    name: 'trust remove',
    summary: 'Let the signatures of a key count no more',
    load: async () => (await import('./commands/trust.ts')).trustRemoveCommand,
  },
  {
    name: 'predict',
    summary: 'Say what the model of a package sees in photos',
    load: async () => (await import('./commands/predict.ts')).predictCommand,
  },
];

const GROUPS: Readonly<Record<string, string>> = {
  env: 'Compare the environment of a package with this one, or write it as a Dockerfile',
  keys: 'Make and list the keys to sign releases with',
  registry: 'Make a registry, convert it, or remove what nothing in it reaches',
  trust: 'Say whose signatures count for which packages',
};

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
  const groups = new Map<string, Commander>();
  for (const entry of COMMANDS) {
    const words = entry.name.split(' ');
    const [group = '', ...rest] = words;
    const parent = rest.length === 0 ? program : groupOf(program, groups, group);
    const sub = parent.command(rest[0] ?? group).description(entry.summary);
    if (words.every((word) => argv.includes(word))) addDetails(sub, await entry.load(), run);
  }
  return program;
}

/** The command that holds the commands of a group. */
function groupOf(program: Commander, groups: Map<string, Commander>, name: string): Commander {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const group = program
    .command(name)
    .description(GROUPS[name] ?? '')
    .exitOverride();
  groups.set(name, group);
  return group;
}

function addDetails(sub: Commander, command: AnyCommand, run: Run): void {
  for (const [notation, help] of command.positionals) sub.argument(notation, help);
  for (const [flags, help] of command.options) addOption(sub, flags, help);
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

/** An option; one whose flags end in `...>` may be given several times, with one value each. */
function addOption(sub: Commander, flags: string, help: string): void {
  if (!flags.endsWith('...>')) {
    sub.option(flags, help);
    return;
  }
  const collect = (value: string, before: readonly string[]) => [...before, value];
  sub.option(flags.replace('...>', '>'), help, collect, []);
}

function parseWorkers(text: string): number {
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 1024) return workers;
  throw new InvalidArgumentError('expected a whole number from 1 to 1024');
}
