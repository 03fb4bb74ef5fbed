/** Cutting the crops of one photo again, and holding them against what the package says. */
import { decodedBytes } from '../images/declared-size.ts';
import { MAX_DECODED_BYTES } from '../images/images.ts';
import { type WeightLimit, weightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { cutPhoto, photosAtOnce } from '../steps/photo-crops.ts';
import type { Store } from '../store/store.ts';
import { FETCH_INSTEAD, type Recipe } from './recipe.ts';
import type { Supply } from './supply.ts';
import type { PhotoGroup, PhotoTask } from './tables.ts';

/** What all workers together may hold of photos as files. */
const MAX_ENCODED_BYTES = 256 * 2 ** 20;

export interface CutterParts {
  readonly store: Store;
  readonly supply: Supply;
  readonly recipe: Recipe;
}

/** Cuts the crops of photos by one recipe, with the crop step's own code, into the store. */
export class Cutter {
  readonly #runtime: Runtime;
  readonly #parts: CutterParts;
  readonly #turns: WeightLimit = weightLimit(MAX_ENCODED_BYTES);
  readonly #pixels: WeightLimit = weightLimit(MAX_DECODED_BYTES);

  constructor(runtime: Runtime, parts: CutterParts) {
    this.#runtime = runtime;
    this.#parts = parts;
  }

  /**
   * Cuts the crops of photos with the same bytes, which are in the store.
   * @throws PkgError `integrity` for the first crop that does not become what the package says.
   */
  async cut(group: PhotoGroup): Promise<void> {
    const { supply } = this.#parts;
    const share = MAX_ENCODED_BYTES / photosAtOnce(this.#runtime.concurrency);
    await this.#turns.run(Math.max(share, group.photo.entry.sizeBytes), async () => {
      this.#runtime.signal.throwIfAborted();
      const declaredBytes = await decodedBytes(await supply.readKept(group.photo));
      for (const task of group.tasks) {
        this.#runtime.signal.throwIfAborted();
        // The table's size decides how much memory a photo is given.
        const { WidthPx, HeightPx, LogicalKey } = task.row;
        if (declaredBytes !== 3 * Number(WidthPx) * Number(HeightPx)) {
          throw differs(`${LogicalKey} is not of the size that metadata/images.csv says`);
        }
        await this.#cutTask(task);
      }
    });
  }

  async #cutTask({ row, crops }: PhotoTask): Promise<void> {
    const { store, recipe } = this.#parts;
    const rectangles = crops.map(({ rectangle }) => rectangle);
    const cut = await cutPhoto(store, this.#pixels, recipe.params, row, rectangles);
    if (cut === undefined) throw differs(`${row.LogicalKey} does not decode`);
    for (const [index, { logicalKey, chosen }] of crops.entries()) {
      const made = cut.crops[index];
      if (made?.digest === chosen.digest && made.sizeBytes === chosen.sizeBytes) continue;
      throw differs(
        `${logicalKey} cut out of ${row.LogicalKey} has other bytes than the package says` +
          ` (here ${recipe.ours}, in its lockfile ${recipe.theirs})`,
      );
    }
  }
}

function differs(message: string): PkgError {
  return new PkgError('integrity', message, { hint: FETCH_INSTEAD });
}
