/** A folder keeps the contract of a registry. */
import { describe } from 'vitest';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { registryContract } from './registry-contract.ts';

registryContract({
  name: 'a folder',
  describe,
  setup: async () => {
    const folder = await temporaryFolder();
    return () => Promise.resolve(new DirectoryStorage(testRuntime(), folder));
  },
});
