/** A query's memory: the table may be large, what the process holds may not. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { box, boxesCsv, image, imagesCsv } from '../support/open-images-tables.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { transpiledLibrary } from '../support/transpiled.ts';

const ROWS = 400_000;
const IMAGES = 40_000;

const CHILD = `
import { readFile } from 'node:fs/promises';
import { selectBoxes } from './openimages/boxes.js';
import { createRuntime } from './runtime/runtime.js';
const [label, concurrency, boxes, images, temporaryFolder] = process.argv.slice(2);
const query = {
  boxes: [{ path: boxes, name: 'boxes' }], images: [{ path: images, name: 'images' }],
  classes: [{ mid: label, displayName: 'Chosen', labels: [label] }],
  where: 'NOT IsGroupOf AND XMax > 0.2', imagesPerClass: undefined, seed: 1,
};
const rows = { boxes: 0, images: 0 };
const runtime = createRuntime({ concurrency: Number(concurrency) });
await selectBoxes(runtime, query, temporaryFolder, async (selection) => {
  for await (const _ of selection.boxes) rows.boxes++;
  for await (const _ of selection.images) rows.images++;
});
// Not maxRSS, which begins with the size of the process that started this one.
const peak = /VmHWM:\\s+(\\d+) kB/.exec(await readFile('/proc/self/status', 'utf8'));
console.log(JSON.stringify({ ...rows, peakBytes: Number(peak[1]) * 1024 }));
`;

/** One row in ten is an apple, the rest are oranges. */
function* boxLines(): Generator<string> {
  const header = boxesCsv([]);
  yield header;
  for (let start = 0; start < ROWS; start += 1000) {
    const rows = Array.from({ length: 1000 }, (_, offset) => {
      const index = start + offset;
      return box(imageId((index * 7919) % IMAGES), {
        LabelName: index % 10 === 0 ? '/m/apple' : '/m/orange',
        XMin: ((index % 9973) / 100_000).toFixed(6),
        YMin: ((index % 19_937) / 100_000).toFixed(6),
      });
    });
    yield boxesCsv(rows).slice(header.length);
  }
}

function imageId(index: number): string {
  return `image${String(index).padStart(11, '0')}`;
}

describe('a query over 400,000 boxes', () => {
  const paths = { folder: '', library: '' };

  beforeAll(async () => {
    paths.folder = await temporaryFolder();
    await pipeline(boxLines(), createWriteStream(join(paths.folder, 'boxes.csv')));
    const images = Array.from({ length: IMAGES }, (_, index) => image(imageId(index)));
    await writeFile(join(paths.folder, 'images.csv'), imagesCsv(images));
    paths.library = await transpiledLibrary();
    await writeFile(join(paths.library, 'child.js'), CHILD);
  });

  /** Runs the query in a process of its own. */
  async function measure(label: string, concurrency: number) {
    const files = ['boxes.csv', 'images.csv'].map((name) => join(paths.folder, name));
    const args = [label, String(concurrency), ...files, await temporaryFolder()];
    const child = spawn(process.execPath, [join(paths.library, 'child.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    return JSON.parse(output) as { boxes: number; images: number; peakBytes: number };
  }

  it('that takes one in ten stays under 300 MB', async () => {
    const { peakBytes, ...rows } = await measure('/m/apple', 2);
    expect(rows).toEqual({ boxes: ROWS / 10, images: IMAGES / 10 });
    expect(peakBytes).toBeLessThan(300e6);
  });

  it.each([1, 2, 16])('that takes nine in ten succeeds with %i workers', async (concurrency) => {
    const { boxes } = await measure('/m/orange', concurrency);
    expect(boxes).toBe(0.9 * ROWS);
  });
});
