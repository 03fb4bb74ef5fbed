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
    ...derivedLine(result.derived, ['derived', 'moved']),
    `top hash ${result.topHash}`,
  ].join('\n');
}

/** How many crops are cut here, and what that saves. */
function derivedLine(
  derived: InstallResult['derived'],
  [verb, moved]: readonly [string, string],
): readonly string[] {
  if (derived === undefined) return [];
  const { crops, photos, movedBytes, insteadOfBytes } = derived;
  if (crops === 0) return [`${verb} no crops: fetching them moves no more bytes`];
  const origin = `${count(crops, 'crop')} from ${count(photos, 'photo')}`;
  const sizes = `${formatBytes(movedBytes)} ${moved} instead of ${formatBytes(insteadOfBytes)}`;
  return [`${verb} ${origin}: ${sizes}`];
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
    ...derivedLine(plan.derived, ['would derive', 'to fetch']),
    ...inTheWay.slice(0, MAX_NAMED).map((key) => `in the way  ${key}`),
    ...(more > 0 ? [`in the way  ${String(more)} more`] : []),
    `top hash ${plan.topHash}`,
  ].join('\n');
}

function figures({ files, sizeBytes }: Tally): readonly [string, string] {
  return [count(files, 'file'), formatBytes(sizeBytes)];
}
