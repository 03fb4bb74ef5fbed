/** The keys that a schema knows at a path. */

/** A key's place as the names and numbers that lead to it. */
export type KeyPath = readonly (string | number)[];

/** The keys the schema knows at a path, found by walking its definition. */
export function knownKeys(root: unknown, path: KeyPath): readonly string[] {
  let schema = root;
  for (const part of path) {
    const unwrapped = unwrap(schema);
    if (typeof unwrapped !== 'object' || unwrapped === null) return [];
    if ('element' in unwrapped) schema = unwrapped.element;
    else schema = shapeOf(unwrapped)[String(part)];
  }
  return Object.keys(shapeOf(unwrap(schema)));
}

/** The keys of an object schema, or of all members of a union, with their schemas. */
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  const { options } = definitionOf(schema);
  if (Array.isArray(options)) {
    return Object.fromEntries(options.flatMap((option) => Object.entries(shapeOf(unwrap(option)))));
  }
  if (typeof schema !== 'object' || schema === null || !('shape' in schema)) return {};
  return typeof schema.shape === 'object' && schema.shape !== null ? { ...schema.shape } : {};
}

/** Strips optional, default, pipe and preprocess wrappers off a schema. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  for (let i = 0; i < 10; i++) {
    const definition = definitionOf(inner);
    const next =
      definition['innerType'] ?? (definition['type'] === 'pipe' ? pipeEnd(definition) : undefined);
    if (next === undefined) return inner;
    inner = next;
  }
  return inner;
}

function pipeEnd(definition: Readonly<Record<string, unknown>>): unknown {
  const input = definitionOf(definition['in'])['type'];
  return input === 'transform' ? definition['out'] : definition['in'];
}

function definitionOf(schema: unknown): Readonly<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null || !('def' in schema)) return {};
  return typeof schema.def === 'object' && schema.def !== null ? { ...schema.def } : {};
}
