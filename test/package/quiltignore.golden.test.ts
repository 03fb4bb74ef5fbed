/** Which files of a folder quilt3 keeps under given `.quiltignore` rules. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { listFolder } from '../../src/package/folder.ts';
import { describeVectors, readVectors } from '../support/quilt3-vectors.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface IgnoreCase {
  readonly rules: string;
  readonly files: readonly string[];
  readonly kept_by_quilt3: readonly string[];
}

describeVectors('.quiltignore as quilt3 reads it', 'quiltignore.json', () => {
  const { cases } = readVectors('quiltignore.json') as { cases: readonly IgnoreCase[] };

  for (const [index, { rules, files, kept_by_quilt3: expected }] of cases.entries()) {
    it(`case ${String(index)}: ${JSON.stringify(rules)} keeps what quilt3 keeps`, async () => {
      const folder = await temporaryFolder();
      for (const key of files) {
        await mkdir(dirname(join(folder, key)), { recursive: true });
        await writeFile(join(folder, key), key);
      }
      await writeFile(join(folder, '.quiltignore'), rules);
      const kept: string[] = [];
      for await (const { logicalKey } of listFolder(folder)) kept.push(logicalKey);
      expect(kept.sort()).toEqual([...expected].sort());
    });
  }
});
