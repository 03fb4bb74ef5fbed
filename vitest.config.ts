import { defineConfig } from 'vitest/config';

/** One project a kind of test; the kind stands in the file name. */
const KINDS = ['prop', 'golden', 'contract', 'interop', 'e2e'];

const project = (name: string, include: string[], exclude: string[] = []) => ({
  test: {
    name,
    include,
    exclude,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    // Servers, browsers and builds run beside the tests; more at once than cores only slows them.
    maxWorkers: 2,
    projects: [
      project(
        'unit',
        ['test/**/*.test.ts'],
        KINDS.map((kind) => `test/**/*.${kind}.test.ts`),
      ),
      ...KINDS.map((kind) => project(kind, [`test/**/*.${kind}.test.ts`])),
    ],
  },
});
