/** Running Python's standard library, as an implementation by others to compare with. */
import { spawn } from 'node:child_process';

/** Runs a Python program that is given arguments and prints one JSON document. */
export async function runPython<Document>(
  program: string,
  args: readonly string[],
): Promise<Document> {
  const child = spawn('python3', ['-c', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (exitCode !== 0) throw new Error(`python3 ended with ${String(exitCode)}`);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Document;
}
