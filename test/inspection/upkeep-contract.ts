/** What checking, mending and converting a registry have to do, whatever keeps its bytes. */
import { convertContract } from './convert-contract.ts';
import type { Backend } from './registries.ts';
import { repairContract } from './repair-contract.ts';
import { tamperContract } from './tamper-contract.ts';

export function upkeepContract(backend: Backend): void {
  const { name, describe, fresh } = backend;
  describe(`${name}: damage`, () => tamperContract(backend));
  describe(`${name}: repair`, () => repairContract(backend));
  describe(`${name}: conversion`, () => convertContract(fresh));
}
