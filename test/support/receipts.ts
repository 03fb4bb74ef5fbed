/** Receipts for tests. */
import type { Receipt } from '../../src/signatures/receipt.ts';

/** That everything came out the same, but for what is given. */
export function sameReceipt(parts: Partial<Receipt> = {}): Receipt {
  return {
    ...{ result: 'same', scope: 'all', entries: 7, toolchainSame: true },
    ...{ node: '20.20.2', platform: 'linux', arch: 'x64', tool: 'pkg 0.1.0' },
    ...parts,
  };
}

/** That the model came out different. */
export function differingReceipt(parts: Partial<Receipt> = {}): Receipt {
  const firstDifference = { step: 'train', logicalKey: 'models/weights.bin' };
  return sameReceipt({ result: 'differs', firstDifference, ...parts });
}
