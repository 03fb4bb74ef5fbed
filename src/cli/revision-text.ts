/** What `pkg show` says to a person. */
import type { RevisionReport, Signer } from '../index.ts';
import { printable } from './printable.ts';
import { columns, count, formatBytes, formatSeconds } from './text.ts';

/** A report whose header is plain JSON. */
export type PrintedRevision = Omit<RevisionReport, 'header'> & { readonly header: unknown };

/** Digits of a key's id that tell it from others. */
const SHORT_KEY_DIGITS = 12;

export function printRevision(report: PrintedRevision): string {
  const { name, topHash, registry, header, entries, sizeBytes, folders } = report;
  return [
    `${name} in ${registry}`,
    `top hash ${topHash}`,
    JSON.stringify(header, null, 2),
    columns(
      folders.map(({ folder, files, sizeBytes: size }) => [
        folder === '' ? '(top)' : printable(folder),
        count(files, 'file'),
        formatBytes(size),
      ]),
    ),
    `${count(entries, 'file')}, ${formatBytes(sizeBytes)} in all`,
    ...statementLines(report),
  ].join('\n');
}

function statementLines(report: PrintedRevision): readonly string[] {
  const { signatures, receipts, builds, allRead } = report;
  const rows = [
    ...signatures.map(({ signers }) => ['signed', namesOf(signers)]),
    ...receipts.map(({ signers, receipt }) => ['receipt', namesOf(signers), ...outcome(receipt)]),
    ...builds.map(({ signers, signed, record }) => [
      'build',
      signed ? namesOf(signers) : 'not signed',
      ...circumstances(record),
    ]),
  ];
  const lines = rows.length === 0 ? [] : [columns(rows.map((row) => row.map(printable)))];
  return allRead ? lines : [...lines, 'There is more beside it than was looked at.'];
}

function outcome(receipt: RevisionReport['receipts'][number]['receipt']): readonly string[] {
  const { result, firstDifference, scope, node, platform, arch, tool, toolchainSame } = receipt;
  const { step, logicalKey } = firstDifference ?? {};
  const what = [
    result === 'same' ? 'same' : 'differs',
    ...(scope === 'data' ? ['(data alone)'] : []),
    ...(step === undefined ? [] : [`from step ${step} on`]),
    ...(logicalKey === undefined ? [] : [`at ${logicalKey}`]),
  ];
  const toolchain = toolchainSame ? [] : ['another toolchain'];
  return [what.join(' '), [tool, `Node ${node}`, `${platform} ${arch}`, ...toolchain].join(', ')];
}

function circumstances(record: RevisionReport['builds'][number]['record']): readonly string[] {
  const { tool, host, workers, startedAt, finishedAt } = record;
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  return [
    `${startedAt}, ${formatSeconds(seconds)}`,
    [
      ...[tool, `Node ${host.node}`, `${host.platform} ${host.arch}`, host.os],
      ...[`${String(host.cpus)} x ${host.cpu}`, count(workers, 'worker')],
    ].join(', '),
  ];
}

function namesOf(signers: readonly Signer[]): string {
  return signers.length === 0 ? 'an unnamed key' : signers.map(nameOf).join(', ');
}

function nameOf({ keyid, standing, comment }: Signer): string {
  const id = `key ${keyid.slice(0, SHORT_KEY_DIGITS)}`;
  if (standing === 'unknown') return `${id} (unknown key)`;
  if (standing === 'forged') return `${id} (forged: that key did not sign it)`;
  return comment === '' ? `${id} (trusted)` : `${id} (${comment})`;
}
