// Compiles kernels/ to src/engine/kernels.wasm; with --check it compares instead, and fails where they differ.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, run } from './tools.mjs';

const COMPILER = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));

const COMMITTED = join(ROOT, 'src', 'engine', 'kernels.wasm');
const DIGEST_FILE = join(ROOT, 'src', 'engine', 'kernels-digest.ts');

// No relaxed SIMD, whose results processors may choose; no runtime, so that the module owns no memory.
const FLAGS = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd,threads',
  '--importMemory',
];
const MEMORY = ['--sharedMemory', '--maximumMemory', '65536'];

const folder = mkdtempSync(join(tmpdir(), 'pkg-kernels-'));
try {
  const target = join(folder, 'kernels.wasm');
  run(process.execPath, [COMPILER, 'kernels/index.ts', ...FLAGS, ...MEMORY, '--outFile', target]);
  const bytes = readFileSync(target);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (process.argv.includes('--check')) {
    if (!bytes.equals(readFileSync(COMMITTED))) {
      console.error(`kernels/ gives ${digest}, which is not src/engine/kernels.wasm.`);
      console.error('Run: npm run build:kernels');
      process.exitCode = 1;
    }
  } else {
    writeFileSync(COMMITTED, bytes);
    writeFileSync(DIGEST_FILE, digestSource(digest));
  }
  console.log(`${digest}  ${String(bytes.length)} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The digest as a source file, since every step key with a training in it holds it. */
function digestSource(digest) {
  return (
    '/** The SHA-256 of kernels.wasm, written by npm run build:kernels; part of the toolchain. */\n' +
    `export const KERNELS_DIGEST = '${digest}';\n`
  );
}
