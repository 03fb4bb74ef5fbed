/** `pkg predict`: what the model of a package sees in photos. */
import { z } from 'zod';
import { isFailure, type PhotoPrediction, planPhotos, predictPhotos } from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';
import { findModel } from '../find-model.ts';
import { describeFailure, predictionLines } from '../prediction-lines.ts';

/** Done, but some of the photos cannot be used. */
const EXIT_INCOMPLETE = 3;

export const predictCommand = defineCommand({
  positionals: [
    [
      '<model>',
      'a folder with an installed package or a model.json; else user/name, user/name:tag or ' +
        'user/name@<top hash>, built here or in --registry (./a/b is always a folder)',
    ],
    ['<photos...>', 'files, and folders for the pictures that stand right in them, by name'],
  ],
  options: [
    ['--boxes <table>', "predict boxes of the photos: an Open Images table, or a package's"],
    ['--all', 'print the probability of every class'],
    ...REGISTRY_OPTIONS,
  ],
  schema: z.object({
    model: z.string(),
    photos: z.array(z.string()).min(1),
    boxes: z.string().optional(),
    all: z.boolean().default(false),
  }),
  async run(context, { model: subject, photos, boxes, all }) {
    const { runtime, printLine } = context;
    const found = await findModel(context, subject);
    const tasks = await planPhotos(runtime, photos, boxes);
    const { classes } = found.model;
    const told = all ? 'all' : 'predicted';
    const toLine = predictionLines({ photos: tasks.map(({ photo }) => photo), classes, told });
    const predictions: PhotoPrediction[] = [];
    const counts = { predicted: 0, failed: 0 };
    for await (const row of predictPhotos(runtime, found, tasks)) {
      counts[isFailure(row) ? 'failed' : 'predicted'] += 1;
      if (printLine === undefined) predictions.push(row);
      else if (isFailure(row)) runtime.report({ kind: 'warned', message: describeFailure(row) });
      else printLine(toLine(row));
    }
    return { model: found.origin, classes, ...counts, predictions };
  },
  // The lines are printed already.
  print: () => '',
  exitCode: ({ failed }) => (failed > 0 ? EXIT_INCOMPLETE : 0),
});
