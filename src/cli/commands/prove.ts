/** `pkg prove`: the proof that a file belongs to a signed package, to be handed on with the file. */
import { join } from 'node:path';
import { z } from 'zod';
import {
  formatProvenFile,
  keysFor,
  parseReference,
  proveFile,
  readPackage,
  readTrust,
  resolveReference,
} from '../../index.ts';
import { defineCommand, REGISTRY_OPTIONS } from '../command.ts';

export const proveCommand = defineCommand({
  positionals: [
    ['<reference>', 'user/name, user/name:tag or user/name@<top hash>'],
    ['<file>', 'a file of the package'],
  ],
  options: REGISTRY_OPTIONS,
  schema: z.object({ reference: z.string(), file: z.string() }),
  async run(context, { reference, file: logicalKey }) {
    const registry = await context.openRegistry('read');
    const parsed = parseReference(reference);
    const { name } = parsed;
    const topHash = await resolveReference(registry, parsed);
    const pkg = await readPackage(registry, topHash);
    const trust = await readTrust(join(context.configFolder, 'trust.json'));
    const keys = keysFor(trust, registry.url, name);
    const proven = await proveFile(registry, { name, topHash }, { pkg, logicalKey }, keys);
    return { name, topHash, logicalKey, proof: formatProvenFile(proven).trimEnd() };
  },
  print: ({ proof }) => proof,
});
