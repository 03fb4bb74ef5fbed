/** From photos and their boxes to the pictures that a network takes. */
import { cropRectangle, cutCrop, type Encoding } from '../images/crop.ts';
import { decodedBytes } from '../images/declared-size.ts';
import { decodePicture, inspectPicture } from '../images/decode.ts';
import { decodeToInput } from '../images/resize.ts';
import type { WeightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BoxTask } from './boxes.ts';
import { describePhoto, type PhotoTask, readPhoto } from './photos.ts';
import type { Failure, Subject } from './prediction.ts';

/** One row in the making: its picture, as `decodeToInput` gives it, or why there is none. */
export type Input = Subject & ({ readonly pixels: Uint8Array } | Failure);

export interface InputContext {
  readonly runtime: Runtime;
  readonly size: { readonly widthPx: number; readonly heightPx: number };
  /** What all photos under way may hold of encoded and of decoded bytes. */
  readonly encoded: WeightLimit;
  readonly decoded: WeightLimit;
}

/**
 * How crops are kept by default, and were when the network saw them: the same loss on the way makes
 * the same numbers.
 */
export const CROP_ENCODING: Encoding = { format: 'jpeg', quality: 92 };

/** A row for each box of a photo, or one for all of it; whatever ails the photo, the rows say so. */
export async function prepareInputs(
  context: InputContext,
  task: PhotoTask,
): Promise<readonly Input[]> {
  const { photo, boxes, problem } = task;
  context.runtime.signal.throwIfAborted();
  try {
    if (problem !== undefined) return [{ photo, error: problem }];
    const { sizeBytes } = await describePhoto(photo);
    return await context.encoded.run(sizeBytes, async () => {
      const bytes = await readPhoto(context.runtime, photo, sizeBytes);
      if (boxes !== undefined) return await cutBoxes(context, photo, bytes, boxes);
      return await context.decoded.run(await decodedBytes(bytes), async () => [
        { photo, pixels: await decodeToInput(bytes, context.size) },
      ]);
    });
  } catch (error) {
    context.runtime.signal.throwIfAborted();
    if (!(error instanceof PkgError)) throw error;
    const failure = { photo, error: error.message };
    return boxes === undefined ? [failure] : boxes.map(({ box }) => ({ ...failure, box }));
  }
}

/** Cuts boxes as the crop step does: out of the stored frame, whatever EXIF says. */
async function cutBoxes(
  { size, decoded }: InputContext,
  photo: string,
  bytes: Uint8Array,
  boxes: readonly BoxTask[],
): Promise<readonly Input[]> {
  const found = await inspectPicture(bytes);
  if (found.status !== 'ok') {
    throw new PkgError('integrity', `the picture cannot be used: ${found.detail}`);
  }
  const { widthPx, heightPx } = found;
  return await decoded.run(3 * widthPx * heightPx, async () => {
    const picture = await decodePicture(bytes);
    const inputs: Input[] = [];
    for (const { box, problem } of boxes) {
      if (problem !== undefined) {
        inputs.push({ photo, box, error: problem });
        continue;
      }
      const rectangle = cropRectangle(box, widthPx, heightPx, 0);
      const crop = await cutCrop(picture, rectangle, box.turnDegrees, CROP_ENCODING);
      inputs.push({ photo, box, pixels: await decodeToInput(crop, size) });
    }
    return inputs;
  });
}
