/** What `pkg install` says to a person. */
import type { InstallPlan, InstallResult } from '../index.ts';
import { columns, count, formatBytes } from './text.ts';

type Tally = InstallPlan['toFetch'];

const MAX_NAMED = 20;

export function printInstalled(result: InstallResult & { readonly dest: string }): string {
  const origins = [
    `${String(result.fetched)} fetched (${formatBytes(result.fetchedBytes)})`,
    ...(result.fromStore > 0 ? [`${String(result.fromStore)} from the store`] : []),
    `${String(result.reused)} here already`,
  ];
  return [
    `Installed ${result.name} into ${result.dest}: ${count(result.entries, 'file')}, ` +
      `${formatBytes(result.sizeBytes)}; ${origins.join(', ')}.`,
    `top hash ${result.topHash}`,
  ].join('\n');
}

export function printPlan(plan: InstallPlan & { readonly dest: string }): string {
  const { inTheWay } = plan;
  const more = inTheWay.length - MAX_NAMED;
  return [
    `Would install ${plan.name} into ${plan.dest}`,
    `${count(plan.entries, 'file')}, ${formatBytes(plan.sizeBytes)}`,
    columns([
      ['to fetch', ...figures(plan.toFetch)],
      ['from the store', ...figures(plan.fromStore)],
      ['here already', ...figures(plan.unchanged)],
      ['to remove', ...figures(plan.toRemove)],
    ]),
    ...inTheWay.slice(0, MAX_NAMED).map((key) => `in the way  ${key}`),
    ...(more > 0 ? [`in the way  ${String(more)} more`] : []),
    `top hash ${plan.topHash}`,
  ].join('\n');
}

function figures({ files, sizeBytes }: Tally): readonly [string, string] {
  return [count(files, 'file'), formatBytes(sizeBytes)];
}
