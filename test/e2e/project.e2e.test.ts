/** The project's own rules, so that a change that breaks one does not land. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';

describe('the project', () => {
  it.each(['format', 'lint', 'types', 'imports', 'unused'])('passes npm run check:%s', (kind) => {
    const result = spawnSync('npm', ['run', '--silent', `check:${kind}`], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
  });
});
