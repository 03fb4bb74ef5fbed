/** A list's memory: it may have a million entries, what the process holds may not. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { transpiledLibrary } from '../support/transpiled.ts';

const ENTRIES = 1_000_000;

const CHILD = `
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { jsonlChunks, parseJsonl } from './package/jsonl.js';
import { topHash } from './package/top-hash.js';
import { fileBytes } from './store/digest.js';
const pkg = await parseJsonl(fileBytes(process.argv[2], new AbortController().signal), 'list');
const hash = topHash(pkg);
const lines = createHash('sha256');
for (const chunk of jsonlChunks(pkg)) lines.update(chunk);
// Not maxRSS, which begins with the size of the process that started this one.
const peak = /VmHWM:\\s+(\\d+) kB/.exec(await readFile('/proc/self/status', 'utf8'));
const result = { entries: pkg.entries.length, hash, lines: lines.digest('hex') };
console.log(JSON.stringify({ ...result, peakBytes: Number(peak[1]) * 1024 }));
`;

describe('a list of a million entries', () => {
  const paths = { list: '', library: '' };
  const expected = { hash: '', lines: '' };

  /** The lines, from their spelling alone; what the top hash and the list's own hash are of them. */
  function* lines(): Generator<string> {
    const [top, own] = [createHash('sha256'), createHash('sha256')];
    const header = '{"version": "v0", "message": null}\n';
    top.update('{"message":null,"version":"v0"}');
    own.update(header);
    yield header;
    for (let start = 0; start < ENTRIES; start += 1000) {
      let text = '';
      for (let index = start; index < start + 1000; index++) {
        const digest = createHash('sha256').update(String(index)).digest();
        const [hex, base64] = [digest.toString('hex'), digest.toString('base64')];
        const key = `photos/${String(index).padStart(9, '0')}.jpg`;
        const size = String(index);
        text +=
          `{"logical_key": "${key}", "physical_keys": ["s3://bucket/objects/${hex}"], "size": ${size}, ` +
          `"hash": {"type": "sha2-256-chunked", "value": "${base64}"}, ` +
          `"meta": {"pkg": {"sha256": "${hex}"}}}\n`;
        top.update(
          `{"hash":{"type":"sha2-256-chunked","value":"${base64}"},"logical_key":"${key}",` +
            `"meta":{"pkg":{"sha256":"${hex}"}},"size":${size}}`,
        );
      }
      own.update(text);
      yield text;
    }
    expected.hash = top.digest('hex');
    expected.lines = own.digest('hex');
  }

  beforeAll(async () => {
    paths.list = join(await temporaryFolder(), 'list.jsonl');
    await pipeline(lines(), createWriteStream(paths.list));
    paths.library = await transpiledLibrary();
    await writeFile(join(paths.library, 'child.js'), CHILD);
  });

  it('is read, hashed and written again within 300 MB', async () => {
    const child = spawn(process.execPath, [join(paths.library, 'child.js'), paths.list], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    const { peakBytes, ...result } = JSON.parse(output) as Record<string, unknown>;
    expect(result).toEqual({ entries: ENTRIES, ...expected });
    expect(peakBytes).toBeLessThan(300e6);
  });
});
