/** What every registry backend has to do, whatever keeps its bytes. */

import { LATEST, packageKey, pointerKey } from '../../src/objects/layout.ts';
import { POLICIES, type Policy, writeSettings } from '../../src/objects/settings.ts';
import { formatJsonl } from '../../src/package/jsonl.ts';
import type { Package, TopHash } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { ALWAYS, IF_ABSENT, type Storage } from '../../src/storage/storage.ts';
import { uploadOf } from '../storage/uploads.ts';
import { testRuntime } from '../support/runtime.ts';
import type { SamplePackage } from '../support/sample-packages.ts';
import type { Suite } from '../support/shared.ts';
import { damagedPacksContract } from './damaged-packs-contract.ts';
import { hostileContract } from './hostile-contract.ts';
import { installContract } from './install-contract.ts';
import { pushContract } from './push-contract.ts';
import { reinstallContract } from './reinstall-contract.ts';
import { revisionsContract } from './revisions-contract.ts';

/** Opens one more connection to the same storage. */
export type Connect = () => Promise<Storage>;

/** Makes fresh, empty storage. */
export type Setup = () => Promise<Connect>;

export interface Backend {
  readonly name: string;
  readonly describe: Suite;
  readonly setup: Setup;
}

/** Runs the whole contract on a backend, with either way to keep objects. */
export function registryContract(backend: Backend): void {
  for (const policy of POLICIES) {
    const name = `${backend.name} of ${policy}`;
    const setup = withPolicy(backend.setup, policy);
    backend.describe(`${name}: push`, () => pushContract(setup));
    backend.describe(`${name}: revisions`, () => revisionsContract(setup));
    backend.describe(`${name}: install`, () => installContract(setup));
    backend.describe(`${name}: install again`, () => reinstallContract(setup));
  }
  const objects = withPolicy(backend.setup, 'objects');
  backend.describe(`${backend.name}: hostile content`, () => hostileContract(objects));
  const packs = withPolicy(backend.setup, 'packs');
  backend.describe(`${backend.name}: damaged packs`, () => damagedPacksContract(packs));
}

/** Fresh storage whose settings are written. */
function withPolicy(setup: Setup, policy: Policy): Setup {
  return async () => {
    const connect = await setup();
    await writeSettings(await connect(), { policy, looseObjects: false }, IF_ABSENT);
    return connect;
  };
}

/** Puts bytes at a key, as anyone with access to the storage can. */
export async function plant(
  registry: Storage,
  key: string,
  content: string | Uint8Array,
): Promise<void> {
  await registry.write(key, uploadOf(content), ALWAYS);
}

/** Publishes a package that no honest client would, under the top hash it really has. */
export async function plantPackage(
  registry: Storage,
  name: string,
  pkg: Package,
): Promise<TopHash> {
  const hash = topHash(pkg);
  await plant(registry, packageKey(hash), [...formatJsonl(pkg)].join(''));
  await plant(registry, pointerKey(name, LATEST), hash);
  return hash;
}

/** Pushes as the command line does. */
export async function push(
  registry: Storage,
  sample: SamplePackage,
  name = 'user/name',
  tag?: string,
) {
  const { pkg, open } = sample;
  return await pushPackage(testRuntime(), registry, pkg, { name, open, tag });
}

export async function contentAt(registry: Storage, key: string): Promise<Buffer | undefined> {
  const found = await registry.read({ key });
  if (found === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a promise was rejected with; throws where it was not. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
}
