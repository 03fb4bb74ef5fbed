/** The cost of `pkg impact` on a registry in a folder. */
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { describeManyPackages } from './many-packages-contract.ts';

describeManyPackages(async () => new DirectoryStorage(testRuntime(), await temporaryFolder()));
