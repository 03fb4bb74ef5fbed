/** Labels: machine ids (MIDs) with their display names, and the hierarchy they stand in. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import type { TableFile } from './openimages.ts';

export interface Label {
  readonly mid: string;
  readonly displayName: string;
}

/** A node of the hierarchy: a label with the labels below it, by kind and by part. */
export interface HierarchyNode {
  readonly LabelName: string;
  readonly Subcategory?: readonly HierarchyNode[] | undefined;
  readonly Part?: readonly HierarchyNode[] | undefined;
}

/** A chosen class: the label a person named, with all labels whose boxes count for it. */
export interface ChosenClass extends Label {
  readonly labels: readonly string[];
}

/** Real files nest five deep; the bound keeps a made-up one from exhausting the stack. */
const MAX_HIERARCHY_DEPTH = 64;

const hierarchyNodeSchema: z.ZodType<HierarchyNode> = z.object({
  LabelName: z.string().min(1),
  get Subcategory() {
    return z.array(hierarchyNodeSchema).optional();
  },
  get Part() {
    return z.array(hierarchyNodeSchema).optional();
  },
});

/**
 * Reads a class table: `MID,display name` a line, with or without a header line (V4 has none,
 * later releases do).
 * @throws PkgError `manifest` that names the file and line of a broken row.
 */
export async function readLabels(table: TableFile): Promise<readonly Label[]> {
  const text = await readFile(table.path, 'utf8');
  const rows = parseRows(text, table);
  const labels: Label[] = [];
  for (const [index, cells] of rows.entries()) {
    const [mid, displayName, ...more] = cells;
    if (index === 0 && mid === 'LabelName') continue;
    if (!mid || !displayName || more.length > 0) {
      throw new PkgError(
        'manifest',
        `${table.name}:${String(index + 1)}: expected two columns, MID and display name`,
        { key: 'data.source.classes' },
      );
    }
    labels.push({ mid, displayName });
  }
  return labels;
}

function parseRows(text: string, table: TableFile): readonly (readonly string[])[] {
  try {
    return parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    throw new PkgError('manifest', `${table.name} is not a CSV table: ${messageOf(error)}`, {
      key: 'data.source.classes',
      cause: error,
    });
  }
}

/**
 * Reads a hierarchy such as `bbox_labels_600_hierarchy.json`.
 * @throws PkgError `manifest` where the file is not one.
 */
export async function readHierarchy(table: TableFile): Promise<HierarchyNode> {
  const key = 'data.source.hierarchy';
  const fail = (why: string, cause?: unknown) =>
    new PkgError('manifest', `${table.name} is not a label hierarchy: ${why}`, { key, cause });
  let value: unknown;
  try {
    value = JSON.parse(await readFile(table.path, 'utf8'));
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  if (jsonDepth(value) > 2 * MAX_HIERARCHY_DEPTH) throw fail('it nests too deeply');
  const parsed = hierarchyNodeSchema.safeParse(value);
  if (!parsed.success) throw fail('expected nodes with LabelName, Subcategory and Part');
  return parsed.data;
}

function jsonDepth(root: unknown): number {
  let depth = 0;
  let level: readonly unknown[] = [root];
  while (level.length > 0 && depth <= 2 * MAX_HIERARCHY_DEPTH) {
    depth++;
    level = level.flatMap((value): readonly unknown[] =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
  }
  return depth;
}

/**
 * Resolves class names or MIDs, in the order given, to the labels whose boxes they take. With a
 * hierarchy, also all labels below by `Subcategory`; a label below several chosen classes counts for
 * the nearest, and at equal distance for the one named first.
 * @throws PkgError `manifest` for a class that the table lacks, with the nearest names.
 */
export function chooseClasses(
  labels: readonly Label[],
  names: readonly string[],
  hierarchy: HierarchyNode | undefined,
): readonly ChosenClass[] {
  const chosen = names.map((name, index) => findLabel(labels, names, name, index));
  const owners = new Map(chosen.map((label) => [label.mid, label.mid]));
  if (hierarchy !== undefined) claimDescendants(hierarchy, chosen, owners);
  return chosen.map((label) => ({
    ...label,
    labels: [...owners]
      .filter(([, owner]) => owner === label.mid)
      .map(([mid]) => mid)
      .sort(),
  }));
}

function findLabel(
  labels: readonly Label[],
  names: readonly string[],
  name: string,
  index: number,
): Label {
  const key = `data.query.classes.${String(index)}`;
  const found = labels.filter(({ mid, displayName }) => mid === name || displayName === name);
  const [label, second] = found;
  if (label === undefined) {
    throw new PkgError('manifest', `unknown class "${name}"`, {
      key,
      hint:
        didYouMean(
          name,
          labels.map(({ displayName }) => displayName),
        ) ?? `The class table has ${String(labels.length)} classes; none is spelt nearly so.`,
    });
  }
  if (second !== undefined) {
    throw new PkgError('manifest', `"${name}" names several classes`, {
      key,
      hint: `Write its MID instead: ${found.map(({ mid }) => mid).join(' or ')}.`,
    });
  }
  const twin = names.findIndex((other) => other === label.mid || other === label.displayName);
  if (twin !== index) {
    throw new PkgError('manifest', `class "${label.displayName}" is named twice`, { key });
  }
  return label;
}

/** Breadth first, one level of all chosen classes at a time, so that the nearest owner wins. */
function claimDescendants(
  hierarchy: HierarchyNode,
  chosen: readonly Label[],
  owners: Map<string, string>,
): void {
  let frontier = chosen.map(({ mid }) => ({ owner: mid, nodes: nodesOf(hierarchy, mid) }));
  while (frontier.some(({ nodes }) => nodes.length > 0)) {
    frontier = frontier.map(({ owner, nodes }) => {
      const below = nodes.flatMap((node) => node.Subcategory ?? []);
      for (const node of below) {
        if (!owners.has(node.LabelName)) owners.set(node.LabelName, owner);
      }
      return { owner, nodes: below.filter((node) => owners.get(node.LabelName) === owner) };
    });
  }
}

/** All nodes with this label; a label may stand in several places. */
function nodesOf(root: HierarchyNode, mid: string): readonly HierarchyNode[] {
  const found: HierarchyNode[] = [];
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.LabelName === mid) found.push(node);
    for (const below of node.Subcategory ?? []) pending.push(below);
    for (const below of node.Part ?? []) pending.push(below);
  }
  return found;
}
