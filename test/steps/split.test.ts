/** The split step: the Split column is filled for crops, and for nothing else. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatCsv, readCsv } from '../../src/openimages/csv.ts';
import { LOOKS_COLUMNS } from '../../src/steps/crop.ts';
import { CROPS_COLUMNS, formatCropsTable } from '../../src/steps/crops-table.ts';
import { splitExamples, splitOf } from '../../src/steps/split.ts';
import { digestOf, fileBytes } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { entryAt } from '../../src/store/tree.ts';
import { testRuntime } from '../support/runtime.ts';
import { cropsRow, skipped } from '../support/summaries.ts';
import { temporaryFolder } from '../support/temporary.ts';

describe('the split step', () => {
  it('gives each crop the split of its photo’s group, and boxes without a crop none', async () => {
    const runtime = testRuntime();
    const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
    const ids = Array.from({ length: 60 }, (_, index) => `image${String(index)}`);
    const looks = ids.map((ImageID, index) => ({
      ImageID,
      Digest: digestOf(ImageID),
      // Every photo but each third is one of a kind; each third is a copy of the first.
      Hash: digestOf(index % 3 === 0 ? 'copy' : ImageID),
      Colours: Buffer.alloc(192, index % 3 === 0 ? 1 : 50).toString('hex'),
    }));
    const crops = ids.flatMap((id) => [
      cropsRow(id),
      cropsRow(id, { LabelName: '/m/pear' }),
      skipped(id, 'too-small'),
    ]);
    const put = async (path: string, text: string) => ({ path, ...(await store.putBytes(text)) });
    const tables = [
      await put('crops.csv', formatCropsTable(crops)),
      await put('looks.csv', formatCsv(LOOKS_COLUMNS, looks)),
    ];
    const params = { seed: 3, validation: 0.3, test: 0.3 };
    const outputs = await splitExamples(runtime, store, params, { tables });
    const { digest } = entryAt(outputs['crops'] ?? [], 'crops.csv');
    const rows = [];
    const bytes = fileBytes(store.path(digest), runtime.signal);
    for await (const row of readCsv(bytes, CROPS_COLUMNS)) rows.push(row);

    expect(rows.map((row) => ({ ...row, Split: '' }))).toEqual(
      crops.map((row) => ({ ...row, Split: '' })),
    );
    const copies = ids.filter((_, index) => index % 3 === 0);
    const group = [...copies].map((id) => digestOf(id)).sort()[0] ?? '';
    for (const row of rows) {
      const own = copies.includes(row.ImageID) ? group : digestOf(row.ImageID);
      expect(row.Split).toBe(row.LogicalKey === '' ? '' : splitOf(own, params));
    }
    expect(new Set(rows.map(({ Split }) => Split))).toEqual(
      new Set(['train', 'validation', 'test', '']),
    );
  });
});
