/** Models that can be run here: those whose outputs are probabilities and whose input is what we make. */
import { type Network, outputUnits } from '../classifier/classifier.ts';
import type { Engine } from '../classifier/engine.ts';
import { createEngine } from '../engine/engine.ts';
import type { Model } from '../models/models.ts';
import { broken, foreign } from '../models/refusals.ts';
import { parseTfjs } from '../models/tfjs.ts';
import { PkgError } from '../runtime/errors.ts';

/** What the engine multiplies a channel's value, 0 to 255, by. */
const RESCALE = Math.fround(1 / 255);

/**
 * Reads a model; `where` is what messages call `model.json`.
 * @throws PkgError `integrity` where the files are broken, `usage` where pkg does not run such a model.
 */
export function parseRunnable(modelJson: string, weightsBin: Uint8Array, where: string): Model {
  const model = parseTfjs(modelJson, weightsBin, where);
  if (new Set(model.classes).size !== model.classes.length) {
    throw broken(where, 'two of its classes have the same name');
  }
  if (Math.fround(model.input.rescale) !== RESCALE) {
    throw foreign(where, `a network whose input is rescaled by ${String(model.input.rescale)}`);
  }
  if (!givesProbabilities(model.network)) {
    throw foreign(where, 'a network that does not end with a vector of sigmoid or softmax');
  }
  return model;
}

function givesProbabilities(network: Network): boolean {
  const last = network.layers.at(-1);
  if (last === undefined || last.outputShape.length !== 1) return false;
  const { spec } = last;
  const ending =
    spec.kind === 'activation'
      ? spec.function
      : spec.kind === 'dense'
        ? spec.activation
        : undefined;
  return ending === 'sigmoid' || (ending === 'softmax' && outputUnits(network) > 1);
}

/**
 * Makes an engine that predicts by a model.
 * @throws PkgError `usage` where the engine has not what its network needs.
 */
export async function openPredictor(
  { network, weights }: Model,
  where: string,
  size: { readonly batchSize: number; readonly threads: number },
): Promise<Engine> {
  const engine = await makeEngine(network, where, size);
  engine.writeWeights(weights);
  return engine;
}

async function makeEngine(
  network: Network,
  where: string,
  size: { readonly batchSize: number; readonly threads: number },
): Promise<Engine> {
  try {
    return await createEngine({ network, ...size, seed: 0, training: undefined });
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'manifest') throw error;
    const place = error.key === undefined ? '' : `${error.key}: `;
    throw foreign(where, `its network: ${place}${error.message}`);
  }
}
