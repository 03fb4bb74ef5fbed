/** JSON Schemas of in-toto's statement and SLSA's predicate, and what breaks their rules. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

const read = (name: string) =>
  JSON.parse(
    readFileSync(new URL(`golden/${name}.schema.json`, import.meta.url), 'utf8'),
  ) as object;

/** RFC 3986's characters, with scheme and authority in lower case as field_types.md asks. */
const NORMALIZED_URI =
  /^[a-z][a-z0-9+.-]*:(?:\/\/[^/?#A-Z]*)?(?:[\w.~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*(?:#(?:[\w.~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?$/;

const ajv = new Ajv({
  allErrors: true,
  formats: { 'normalized-uri': NORMALIZED_URI },
  schemas: ['resource-descriptor', 'statement', 'slsa-provenance'].map(read),
});

/** What of a document breaks the rules, as `/place rule`. */
export function validate(document: unknown): readonly string[] {
  return ['urn:test:statement', 'urn:test:slsa-provenance'].flatMap((schema) => {
    ajv.validate(schema, document);
    return (ajv.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath} ${message ?? ''}`,
    );
  });
}
