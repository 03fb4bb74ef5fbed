/** Real quilt3: small Python programs, run apart from everything of the user's. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const QUILT3_PYTHON = process.env['PKG_QUILT3_PYTHON'];

/** What every program begins with; `args` is what it was given, `say` is how it answers. */
const PRELUDE = `
import json, sys
import quilt3
from quilt3 import Package
args = json.loads(sys.argv[1])
def say(answer):
    print('ANSWER ' + json.dumps(answer))
`;

/**
 * Runs a Python program with quilt3 and returns what it said. Its home folder, and with it quilt3's
 * local registry and cache, are fresh and go away.
 */
export async function runQuilt3(
  program: string,
  args: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>>,
): Promise<unknown> {
  const home = await mkdtemp(join(tmpdir(), 'quilt3-home-'));
  try {
    const output = await run([PRELUDE + program, JSON.stringify(args)], {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      XDG_DATA_HOME: join(home, 'data'),
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_CACHE_HOME: join(home, 'cache'),
      QUILT_DISABLE_USAGE_METRICS: 'True',
      QUILT_MINIMIZE_STDOUT: 'true',
      PYTHONUTF8: '1',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    });
    const answer = output.split('\n').find((line) => line.startsWith('ANSWER '));
    if (answer === undefined) throw new Error(`the program did not answer: ${output}`);
    return JSON.parse(answer.slice('ANSWER '.length));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function run(
  [program, args]: readonly [string, string],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(QUILT3_PYTHON ?? '', ['-c', program, args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (exitCode !== 0) throw new Error(`quilt3 ended with ${String(exitCode)}:\n${stderr}`);
  return stdout;
}
