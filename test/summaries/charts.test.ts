/** Charts as data: that what they draw is there, once, and hangs together. */
import { describe, expect, it } from 'vitest';
import { readHierarchy } from '../../src/openimages/labels.ts';
import { classCountsChart, hierarchyChart, type TreeNode } from '../../src/summaries/charts.ts';
import type { NamedNode } from '../../src/summaries/summaries.ts';
import { describeWithShared, shared } from '../support/shared.ts';
import { cropsRow, summaryOf } from '../support/summaries.ts';

interface VegaChart {
  readonly $schema: string;
  readonly width: number;
  readonly height: number;
  readonly data: readonly {
    readonly name: string;
    readonly source?: string;
    readonly values?: readonly TreeNode[];
  }[];
  readonly marks: readonly { readonly type: string; readonly from: { readonly data: string } }[];
}

/** What a reader of the JSON file gets. */
function reread(chart: object): VegaChart {
  return JSON.parse(JSON.stringify(chart)) as VegaChart;
}

const TREE: NamedNode = {
  LabelName: '/m/food',
  DisplayName: 'Food',
  Subcategory: [
    {
      LabelName: '/m/fruit',
      DisplayName: 'Fruit',
      Subcategory: [
        { LabelName: '/m/apple', DisplayName: 'Apple' },
        { LabelName: '/m/orange', DisplayName: 'Orange "x"' },
      ],
      Part: [{ LabelName: '/m/core', DisplayName: 'Core' }],
    },
    { LabelName: '/m/apple', DisplayName: 'Apple' },
  ],
};

/** Fails where a chart does not hang together. */
function expectSound(chart: VegaChart): readonly TreeNode[] {
  expect(chart.$schema).toMatch(/^https:\/\/vega\.github\.io\/schema\/vega\/v\d+\.json$/);
  expect(Number.isInteger(chart.width) && chart.width > 0).toBe(true);
  const names = chart.data.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { source } of chart.data) if (source !== undefined) expect(names).toContain(source);
  for (const mark of chart.marks) expect(names).toContain(mark.from.data);
  const nodes = chart.data[0]?.values ?? [];
  const ids = nodes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(nodes.filter(({ parent }) => parent === null)).toHaveLength(1);
  for (const { id, parent } of nodes) {
    if (parent === null) continue;
    expect(ids).toContain(parent);
    expect(parent).toBeLessThan(id);
  }
  return nodes;
}

describe('the chart of the hierarchy', () => {
  it('has every place of every label once, below its parent, in order', () => {
    const nodes = expectSound(reread(hierarchyChart(TREE, new Set(['/m/apple']))));
    expect(nodes.map(({ name, parent, chosen }) => [name, parent, chosen])).toEqual([
      ['Food', null, false],
      ['Fruit', 0, false],
      ['Apple', 1, true],
      ['Orange "x"', 1, false],
      ['Core', 1, false],
      ['Apple', 0, true],
    ]);
  });

  it('is drawn of a single label, too', () => {
    const root = { LabelName: '/m/food', DisplayName: 'Food' };
    expect(expectSound(reread(hierarchyChart(root, new Set())))).toHaveLength(1);
  });

  it('is the same each time', () => {
    const chosen = new Set(['/m/apple', '/m/core']);
    expect(JSON.stringify(hierarchyChart(TREE, chosen))).toBe(
      JSON.stringify(hierarchyChart(TREE, new Set([...chosen].reverse()))),
    );
  });
});

describeWithShared('data', 'oid-meta')('the chart of the real hierarchy', () => {
  it('has 848 nodes, the chosen ones marked in all their places', async () => {
    const path = shared('data/oid-meta/bbox_labels_600_hierarchy.json');
    const root = (await readHierarchy({ path, name: 'tree' })) as NamedNode;
    const nodes = expectSound(reread(hierarchyChart(root, new Set(['/m/0cdn1']))));
    expect(nodes).toHaveLength(848);
    const marked = nodes.filter(({ chosen }) => chosen);
    expect(marked.length).toBeGreaterThan(0);
    expect(marked.every(({ mid }) => mid === '/m/0cdn1')).toBe(true);
  });
});

describe('the chart of counts', () => {
  interface CountsChart {
    readonly $schema: string;
    readonly data: {
      readonly values: readonly { class: string; split: string; crops: number; order: number }[];
    };
    readonly encoding: Readonly<
      Record<string, { readonly field: string; readonly sort?: unknown }>
    >;
  }

  it('has a value for each class and split, in their order, that add up', () => {
    const summary = summaryOf(
      [],
      [
        ...[cropsRow('a'), cropsRow('b', { Split: 'test' }), cropsRow('c')],
        cropsRow('d', { Class: 'Orange', Split: 'validation' }),
      ],
    );
    const chart = JSON.parse(JSON.stringify(classCountsChart(summary))) as CountsChart;
    expect(chart.$schema).toMatch(/schema\/vega-lite\/v\d+\.json$/);
    expect(chart.data.values).toEqual([
      { class: 'Apple', split: 'train', order: 0, crops: 2 },
      { class: 'Apple', split: 'validation', order: 1, crops: 0 },
      { class: 'Apple', split: 'test', order: 2, crops: 1 },
      { class: 'Orange', split: 'train', order: 0, crops: 0 },
      { class: 'Orange', split: 'validation', order: 1, crops: 1 },
      { class: 'Orange', split: 'test', order: 2, crops: 0 },
    ]);
    expect(chart.encoding['y']?.sort).toEqual(['Apple', 'Orange']);
    const fields = Object.keys(chart.data.values[0] ?? {});
    for (const { field } of Object.values(chart.encoding)) expect(fields).toContain(field);
  });
});
