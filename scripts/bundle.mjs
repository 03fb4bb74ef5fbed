// Bundles the compiled command line, so that a command loads a few files rather than all of the
// library: `pkg log` takes 0.23 s of CPU instead of 0.50. Libraries stay apart, loaded when needed.
import { copyFileSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './tools.mjs';

const folder = join(ROOT, 'dist/bundle');

const bundle = await rolldown({
  input: join(ROOT, 'dist/cli/main.js'),
  platform: 'node',
  external: /^[^./]/,
  // No module of ours does anything when it is loaded but define.
  treeshake: { moduleSideEffects: false },
});
// One level below dist/, as the modules are that look for files beside them.
await bundle.write({ dir: folder, format: 'esm', sourcemap: true });
copyFileSync(join(ROOT, 'src/engine/kernels.wasm'), join(folder, 'kernels.wasm'));
cpSync(join(ROOT, 'src/sandbox/child'), join(folder, 'child'), { recursive: true });
writeFileSync(join(ROOT, 'dist/cli/main.js'), "export { runProcess } from '../bundle/main.js';\n");
