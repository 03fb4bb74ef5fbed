/** A registry in a folder can be checked, mended and converted. */
import { describe } from 'vitest';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { upkeepContract } from './upkeep-contract.ts';

upkeepContract({
  name: 'a folder',
  describe,
  faults: 'every',
  fresh: async () => new DirectoryStorage(testRuntime(), await temporaryFolder()),
});
