/** `pkg impact` on a registry in a folder. */
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { describeImpact } from './impact-contract.ts';

describeImpact(async () => new DirectoryStorage(testRuntime(), await temporaryFolder()));
