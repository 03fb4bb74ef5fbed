/** Real Keras, scikit-learn and SciPy: Python programs that are given JSON and answer with JSON. */
import { spawn } from 'node:child_process';

export const KERAS_PYTHON = process.env['PKG_KERAS_PYTHON'];

/** What every program begins with; `args` is what it was given, `say` is how it answers. */
const PRELUDE = `
import json, sys
args = json.loads(sys.stdin.read())
def say(answer):
    print('ANSWER ' + json.dumps(answer))
`;

/** Runs a Python program and returns what it said; throws with its errors where it fails. */
export async function runKeras<Answer>(program: string, args: unknown): Promise<Answer> {
  const child = spawn(KERAS_PYTHON ?? '', ['-c', PRELUDE + program], {
    env: {
      PATH: process.env['PATH'] ?? '',
      TF_CPP_MIN_LOG_LEVEL: '2',
      CUDA_VISIBLE_DEVICES: '',
      PYTHONUTF8: '1',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  child.stdin.end(JSON.stringify(args));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (exitCode !== 0) throw new Error(`the program ended with ${String(exitCode)}:\n${stderr}`);
  const answer = stdout.split('\n').find((line) => line.startsWith('ANSWER '));
  if (answer === undefined) throw new Error(`the program did not answer: ${stdout}`);
  return JSON.parse(answer.slice('ANSWER '.length)) as Answer;
}
