/** Spawning the built binary, as a user would run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './shared.ts';

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node binary than the one that runs the tests. */
  readonly node?: string;
}

const BINARY = join(ROOT, 'dist', 'cli', 'bin.cjs');

/** Starts `pkg` with arguments; the caller ends it. */
export function startCli(args: readonly string[], options: CliOptions = {}): ChildProcess {
  return spawn(options.node ?? process.execPath, [BINARY, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `pkg` to its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const child = startCli(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 1)));
  });
  return { exitCode, stdout, stderr };
}

/** Runs `pkg --json`, expects success, and returns the document. */
export async function runJson<Document>(
  args: readonly string[],
  options: CliOptions = {},
): Promise<Document> {
  const result = await runCli([...args, '--json'], options);
  if (result.exitCode !== 0) {
    throw new Error(
      `pkg ${args.join(' ')} ended with ${String(result.exitCode)}: ${result.stderr}`,
    );
  }
  return JSON.parse(result.stdout) as Document;
}

/** This environment without what would point the tool at the user's own stores and registries. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|PKG_STORE|PKG_REGISTRY|PKG_CONFIG|NODE_OPTIONS|VITEST)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
