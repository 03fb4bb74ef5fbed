/** What user code may take: seconds and bytes. */

export interface CodeLimits {
  /** For loading the module and `createModel`. */
  readonly createSeconds: number;
  /** For one batch of examples, trained on or predicted. */
  readonly batchSeconds: number;
  /** Memory that its process has at once. */
  readonly memoryBytes: number;
}

export const DEFAULT_LIMITS: CodeLimits = {
  createSeconds: 60,
  batchSeconds: 600,
  memoryBytes: 4 * 2 ** 30,
};
