/** Manifest texts for tests. */
import { PkgError } from '../../src/runtime/errors.ts';

/** The smallest manifest. */
export const SMALLEST = `version: 1
name: user/name
data:
  source:
    classes: classes.csv
    boxes: boxes.csv
    images: images.csv
  query:
    classes: [Apple]
`;

/** The example of the design, word for word. */
export const DESIGN_EXAMPLE = `version: 1
name: quilt/open_images
description: Hamburgers and sandwiches cropped from Open Images V4, and a classifier for them.
license: CC-BY-4.0                      # of the package; each image keeps its own in metadata/images.csv
data:
  source:                               # or  package: quilt/open_images_data@<top hash>   to train on an installed dataset
    classes:   https://storage.googleapis.com/openimages/2018_04/class-descriptions-boxable.csv
    boxes:     https://storage.googleapis.com/openimages/2018_04/train/train-annotations-bbox.csv
    images:    https://storage.googleapis.com/openimages/2018_04/train/train-images-boxable-with-rotation.csv
    hierarchy: https://storage.googleapis.com/openimages/2018_04/bbox_labels_600_hierarchy.json
  query:
    classes: [Hamburger, Sandwich]      # display names or MIDs; a misspelt one gets "did you mean"
    descendants: false                  # true: also the classes below in the hierarchy
    where: NOT IsGroupOf AND NOT IsDepiction      # an SQL predicate over the box and image columns; checked, never a statement
    imagesPerClass: 2000                # a deterministic sample: ordered by hash of (seed, ImageID)
  fetch: { requestsPerSecond: 5, concurrency: 16, retries: 5, timeoutSeconds: 30, maxBytes: 50 MB, missing: record }
  crop:  { minSidePx: 32, paddingFraction: 0, upright: true, format: jpeg, quality: 92 }
  split: { validation: 0.2, test: 0 }   # by source photo and its duplicates, by content: adding data never moves an old photo
code:
  repository: https://github.com/quiltdata/open-images.git     # or .  for the repository the manifest stands in
  revision: master                      # branch, tag or commit; the lockfile holds the commit
environment:
  node: 20.20.2
  lockfile: package-lock.json
  dockerfile: Dockerfile
model:
  engine: deterministic                 # or tensorflow
  input: { widthPx: 128, heightPx: 128 }
  layers:                               # Keras' names and defaults; or  entry: model.js  in the pinned code (engine tensorflow)
    - conv2d: { filters: 32, kernelSize: 3, activation: relu }
    - maxPooling2d: { poolSize: 2 }
    - conv2d: { filters: 32, kernelSize: 3, activation: relu }
    - maxPooling2d: { poolSize: 2 }
    - conv2d: { filters: 64, kernelSize: 3, activation: relu }
    - maxPooling2d: { poolSize: 2 }
    - flatten
    - dense: { units: 64, activation: relu }
    - dropout: { rate: 0.5 }
    - dense: { units: 1, activation: sigmoid }
  augment: { rotationDegrees: 40, widthShift: 0.2, heightShift: 0.2, shear: 0.2, zoom: 0.2, horizontalFlip: true, fill: nearest }
  fit: { batchSize: 16, epochs: 50, optimizer: { rmsprop: { learningRate: 0.0005 } }, loss: binaryCrossentropy,
         earlyStopping: { monitor: val_loss, patience: 4, restoreBest: true } }
seed: 42
`;

/** What a refused text is refused with; throws where it is not, or not by a PkgError. */
export function refusal(work: () => unknown): PkgError {
  try {
    work();
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}
