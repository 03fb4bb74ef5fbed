/** A command of the terminal, as a value: its arguments, what it does and how its result reads. */
import type { z } from 'zod';
import {
  PkgError,
  type Purpose,
  type Runtime,
  type S3Access,
  type Storage,
  type Store,
} from '../index.ts';

/** What a command may ask of its surroundings. */
export interface CommandContext {
  readonly runtime: Runtime;
  readonly s3: S3Access;
  /** The store named by --store, PKG_STORE or the user's cache folder. */
  openStore(): Promise<Store>;
  /** The registry named by --registry or PKG_REGISTRY; a usage error where neither is given. */
  openRegistry(purpose: Purpose): Promise<Storage>;
  /** Where the user's keys and trust policy are: PKG_CONFIG, or the user's configuration folder. */
  readonly configFolder: string;
  /** Whether --registry itself was given. */
  readonly registryGiven: boolean;
  /**
   * Prints a line of the result at once, before the whole of it is there; undefined where the result is
   * to be one JSON document.
   */
  readonly printLine: ((line: string) => void) | undefined;
}

export interface Command<Flags, Result> {
  /** Positional arguments in the notation `<needed>`, `[optional]`, `[several...]`. */
  readonly positionals: readonly (readonly [name: string, help: string])[];
  readonly options: readonly (readonly [flags: string, help: string])[];
  /** Reads positionals, under their names, and flags. */
  readonly schema: z.ZodType<Flags>;
  run(context: CommandContext, flags: Flags): Promise<Result>;
  /** The result for a person. */
  print(result: Result): string;
  /** Other than 0 where a command that did its work still has bad news. */
  exitCode?(result: Result): number;
}

/** A command whose types are kept inside, for a list of commands. */
export interface AnyCommand {
  readonly positionals: Command<never, never>['positionals'];
  readonly options: Command<never, never>['options'];
  /** Checks the input, runs the command and renders its result. */
  execute(context: CommandContext, input: object): Promise<Outcome>;
}

export interface Outcome {
  readonly json: unknown;
  readonly text: string;
  readonly exitCode: number;
}

/** Wraps a command so that commands of different types fit one list. */
export function defineCommand<Flags, Result>(command: Command<Flags, Result>): AnyCommand {
  const { positionals, options } = command;
  return {
    positionals,
    options,
    async execute(context, input) {
      const parsed = command.schema.safeParse(input);
      if (!parsed.success) throw wrongInput(parsed.error);
      const result = await command.run(context, parsed.data);
      return {
        json: result,
        text: command.print(result),
        exitCode: command.exitCode?.(result) ?? 0,
      };
    },
  };
}

/** The first thing wrong with flags or arguments, by the name that they are given under. */
function wrongInput({ issues }: z.ZodError): PkgError {
  const { path = [], message = '' } = issues[0] ?? {};
  const name = String(path[0] ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new PkgError('usage', `--${name}: ${message}`, {
    hint: 'See what it takes with: pkg <command> --help',
  });
}

/** The options of commands that speak to a registry. */
export const REGISTRY_OPTIONS = [
  ['--registry <address>', 's3://bucket or a folder (default: PKG_REGISTRY)'],
  ['--endpoint <url>', 'an S3 server other than AWS (default: AWS_ENDPOINT_URL)'],
] as const;
