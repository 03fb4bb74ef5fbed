// Puts the compiled kernels beside the compiled sources.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './tools.mjs';

copyFileSync(join(ROOT, 'src/engine/kernels.wasm'), join(ROOT, 'dist/engine/kernels.wasm'));
