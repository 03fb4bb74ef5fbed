/** Copies of the embedded sample with another model, to be built. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './shared.ts';
import { temporaryFolder } from './temporary.ts';

export const SAMPLE_NAME = 'quilt/open_images_sample';

/** A network so small that its states are few kilobytes. */
export const TINY_MODEL = `model:
  input: { widthPx: 24, heightPx: 24 }
  layers:
    - conv2d: { filters: 4, kernelSize: 3, activation: relu }
    - maxPooling2d
    - globalAveragePooling2d
    - dense: { units: 1, activation: sigmoid }
  augment: { rotationDegrees: 20, horizontalFlip: true }
  fit: { batchSize: 8, epochs: 6, optimizer: adam, earlyStopping: { patience: 3, restoreBest: true } }
`;

/**
 * Copies the sample into a fresh folder, its manifest changed by `edit`; without a lockfile.
 * @returns the manifest's path.
 */
export async function copySample(edit: (text: string) => string = (text) => text): Promise<string> {
  const folder = await temporaryFolder();
  await cp(join(ROOT, 'manifests', 'sample'), join(folder, 'sample'), { recursive: true });
  const manifest = join(folder, 'sample.yaml');
  const text = await readFile(join(ROOT, 'manifests', 'sample.yaml'), 'utf8');
  await writeFile(manifest, edit(text));
  return manifest;
}

/** A manifest's text with another model, or with none. */
export function withModel(text: string, model: string): string {
  return text.replace(/^model:\n(?: .*\n)*/m, model);
}
