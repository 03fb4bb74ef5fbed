/** A folder keeps the contract of storage. */
import { describe } from 'vitest';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { storageContract } from './storage-contract.ts';

describe('storage in a folder', () => {
  storageContract(async () => {
    const folder = await temporaryFolder();
    return () => Promise.resolve(new DirectoryStorage(testRuntime(), folder));
  });
});
