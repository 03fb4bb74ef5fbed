// Puts what the compiler leaves alone beside the compiled sources: the kernels and the sandbox's program.
import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './tools.mjs';

copyFileSync(join(ROOT, 'src/engine/kernels.wasm'), join(ROOT, 'dist/engine/kernels.wasm'));
cpSync(join(ROOT, 'src/sandbox/child'), join(ROOT, 'dist/sandbox/child'), { recursive: true });
