/** Charts as data: the class hierarchy as a Vega radial tree, counts as Vega-Lite bars. */
import { type NamedNode, SPLITS, type Summary } from './summaries.ts';

/** Colours that people with any colour vision tell apart (Okabe and Ito, 2008). */
const CHOSEN_COLOUR = '#d55e00';
const OTHER_COLOUR = '#b8b8b8';
const SPLIT_COLOURS = ['#0072b2', '#e69f00', '#009e73'];

/** A node of the tree as the chart holds it. */
export interface TreeNode {
  readonly id: number;
  readonly parent: number | null;
  readonly name: string;
  readonly mid: string;
  readonly chosen: boolean;
}

/**
 * A Vega specification of the hierarchy as a radial tree, chosen classes marked. A label that stands
 * in several places is drawn in each.
 */
export function hierarchyChart(root: NamedNode, chosenLabels: ReadonlySet<string>): object {
  const nodes = flattenTree(root, chosenLabels);
  const radius = Math.max(240, Math.round(nodes.length * 0.9));
  const side = 2 * radius + 320;
  const toRadians = '(datum.angle - 90) * PI / 180';
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    description: 'The label hierarchy; the classes of this data set are marked.',
    width: side,
    height: side,
    padding: 5,
    autosize: 'none',
    data: [
      {
        name: 'tree',
        values: nodes,
        transform: [
          { type: 'stratify', key: 'id', parentKey: 'parent' },
          {
            type: 'tree',
            method: 'cluster',
            size: [360, radius],
            as: ['angle', 'distance', 'depth', 'children'],
          },
          { type: 'formula', as: 'radians', expr: toRadians },
          {
            type: 'formula',
            as: 'x',
            expr: `${String(side / 2)} + datum.distance * cos(datum.radians)`,
          },
          {
            type: 'formula',
            as: 'y',
            expr: `${String(side / 2)} + datum.distance * sin(datum.radians)`,
          },
          { type: 'formula', as: 'leftSide', expr: 'inrange(datum.angle, [180, 360])' },
          // The words of a leaf stand outside of it, those of an inner node towards the root.
          { type: 'formula', as: 'wordsBefore', expr: 'datum.leftSide !== datum.children > 0' },
        ],
      },
      {
        name: 'links',
        source: 'tree',
        transform: [
          { type: 'treelinks' },
          {
            type: 'linkpath',
            shape: 'diagonal',
            orient: 'radial',
            sourceX: 'source.radians',
            sourceY: 'source.distance',
            targetX: 'target.radians',
            targetY: 'target.distance',
          },
        ],
      },
    ],
    marks: treeMarks(side),
  };
}

function treeMarks(side: number): readonly object[] {
  const colour = [{ test: 'datum.chosen', value: CHOSEN_COLOUR }, { value: OTHER_COLOUR }];
  return [
    {
      type: 'path',
      from: { data: 'links' },
      encode: {
        update: {
          x: { value: side / 2 },
          y: { value: side / 2 },
          path: { field: 'path' },
          stroke: [{ test: 'datum.target.chosen', value: CHOSEN_COLOUR }, { value: '#dddddd' }],
        },
      },
    },
    {
      type: 'symbol',
      from: { data: 'tree' },
      encode: {
        update: {
          x: { field: 'x' },
          y: { field: 'y' },
          size: [{ test: 'datum.chosen', value: 120 }, { value: 16 }],
          fill: colour,
          tooltip: { signal: 'datum.name' },
        },
      },
    },
    {
      type: 'text',
      from: { data: 'tree' },
      encode: {
        update: {
          x: { field: 'x' },
          y: { field: 'y' },
          text: { field: 'name' },
          dx: { signal: '(datum.wordsBefore ? -1 : 1) * (datum.chosen ? 8 : 6)' },
          angle: { signal: 'datum.leftSide ? datum.angle + 90 : datum.angle - 90' },
          align: { signal: "datum.wordsBefore ? 'right' : 'left'" },
          baseline: { value: 'middle' },
          fontSize: [{ test: 'datum.chosen', value: 16 }, { value: 8 }],
          fontWeight: [{ test: 'datum.chosen', value: 'bold' }, { value: 'normal' }],
          fill: [{ test: 'datum.chosen', value: CHOSEN_COLOUR }, { value: '#333333' }],
        },
      },
    },
  ];
}

function flattenTree(root: NamedNode, chosenLabels: ReadonlySet<string>): readonly TreeNode[] {
  const nodes: TreeNode[] = [];
  const pending: { node: NamedNode; parent: number | null }[] = [{ node: root, parent: null }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const id = nodes.length;
    const { node, parent } = next;
    const { LabelName: mid, DisplayName: name } = node;
    nodes.push({ id, parent, name, mid, chosen: chosenLabels.has(mid) });
    const below = [...(node.Subcategory ?? []), ...(node.Part ?? [])];
    for (const child of below.reverse()) pending.push({ node: child, parent: id });
  }
  return nodes;
}

/** A Vega-Lite specification of crops a class, by split. */
export function classCountsChart(summary: Summary): object {
  const values = summary.classes.flatMap(({ name, splits }) =>
    SPLITS.map((split, order) => ({ class: name, split, order, crops: splits[split] ?? 0 })),
  );
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: `Crops per class and split in ${summary.name}.`,
    title: 'Crops per class',
    width: 480,
    height: { step: 28 },
    data: { values },
    mark: { type: 'bar', tooltip: true },
    encoding: {
      y: {
        field: 'class',
        type: 'nominal',
        title: null,
        sort: summary.classes.map(({ name }) => name),
      },
      x: { field: 'crops', type: 'quantitative', aggregate: 'sum', title: 'crops' },
      color: {
        field: 'split',
        type: 'nominal',
        sort: SPLITS,
        scale: { domain: SPLITS, range: SPLIT_COLOURS },
      },
      order: { field: 'order', type: 'ordinal' },
    },
  };
}
