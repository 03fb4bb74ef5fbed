/** What model code threw, in words for whoever wrote it. */

import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import { plainText } from './spoken.ts';

const text = z.string().max(1_000_000);

export const thrownSchema = z.object({
  name: text,
  message: text,
  code: text,
  /** Places of its stack, `file:line`, the innermost first. */
  places: z.array(text).max(1000),
});

export type ThrownError = z.output<typeof thrownSchema>;

interface CodePlace {
  readonly name: string;
  readonly folder: string | undefined;
}

/** The name that the sandbox's own program gives to failures that are said in full. */
const FAULTY = 'Faulty';

/** The error to throw for one that was thrown in a sandbox; it is foreign, so it is only quoted. */
export function codeError({ name, folder }: CodePlace, thrown: ThrownError): PkgError {
  const message = plainText(thrown.message);
  if (thrown.name === FAULTY) return fault(`${name}: ${message}`);
  const place = thrown.places.map((at) => placeIn(folder, at)).find((at) => at !== undefined);
  const where = place === undefined ? '' : ` (${plainText(place)})`;
  const what = thrown.name === '' ? message : `${plainText(thrown.name)}: ${message}`;
  return fault(`${name} failed${where}: ${what}`, hintFor(thrown));
}

function hintFor({ code, message }: ThrownError): string | undefined {
  switch (code) {
    case 'ERR_ACCESS_DENIED':
      return 'Model code reads files of its own tree and does nothing else: no network, no processes.';
    case 'ERR_MODULE_NOT_FOUND':
    case 'MODULE_NOT_FOUND':
      return 'createModel is given tf; beside it, only files of the pinned code can be imported.';
    default:
      return /out of memory|allocation failed|Invalid array length/i.test(message)
        ? 'Make the model or the batch smaller.'
        : undefined;
  }
}

function fault(message: string, hint?: string): PkgError {
  return new PkgError('manifest', message, {
    key: 'model.entry',
    ...(hint === undefined ? {} : { hint }),
  });
}

/** `model.js:12` for a place in the code's folder; undefined for any other. */
function placeIn(folder: string | undefined, place: string): string | undefined {
  const [, file = '', line = ''] = /^(.*):(\d+)$/.exec(place) ?? [];
  if (folder === undefined) return undefined;
  const path = pathOf(file);
  if (path === undefined || !path.startsWith(`${folder}${sep}`)) return undefined;
  return `${relative(folder, path)}:${line}`;
}

function pathOf(file: string): string | undefined {
  if (!file.startsWith('file:')) return file;
  try {
    return fileURLToPath(file);
  } catch {
    return undefined;
  }
}
