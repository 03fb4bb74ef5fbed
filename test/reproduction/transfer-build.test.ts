/** Packages whose classifier began with another package's: built, checked on the spot and reproduced. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { entryUnder, type OpenedPackage } from '../../src/installation/opened-package.ts';
import { statedDigest } from '../../src/package/package.ts';
import { findBuilt, openBuilt } from '../../src/pipeline/built.ts';
import type { PipelineContext } from '../../src/pipeline/lock.ts';
import { type BuildOptions, buildPackage, nowhereElse } from '../../src/pipeline/pipeline.ts';
import { reproducePackage } from '../../src/reproduction/reproduce.ts';
import { spotCheck } from '../../src/reproduction/spot-check.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { openStore } from '../../src/store/store.ts';
import { copySample, SAMPLE_NAME, TINY_MODEL, withModel } from '../support/sample-models.ts';
import { temporaryFolder } from '../support/temporary.ts';

const runtime = createRuntime({ concurrency: 2 });

const OPTIONS: BuildOptions = {
  lock: { mode: 'keep', dirty: 'refuse' },
  ...{ refetch: false, elsewhere: nowhereElse, code: 'refuse', without: [] },
};

const transferModel = (base: string) => `model:
  base: ${base}
  layers:
    - dense: { units: 5, activation: relu }
    - dense: { units: 1, activation: sigmoid }
  fit: { batchSize: 8, epochs: 3, optimizer: adam }
`;

async function contextOf(findPackage: PipelineContext['findPackage']): Promise<PipelineContext> {
  const host = {
    node: '20.20.2',
    platform: 'linux',
    arch: 'x64',
    os: 'Linux',
    cpu: 'any',
    cpus: 2,
  };
  return {
    runtime,
    store: await openStore(join(await temporaryFolder(), 'store'), Date.now()),
    ...{ credentials: {}, s3: { endpoint: undefined, region: 'us-east-1' }, findPackage },
    builder: { tool: 'pkg 0.0.0', host },
  };
}

async function build(context: PipelineContext, manifest: string): Promise<OpenedPackage> {
  const { name } = await buildPackage(context, manifest, OPTIONS);
  return openBuilt(context.store, await findBuilt(context.store, name));
}

describe('a package whose classifier began with another package’s', () => {
  let base: OpenedPackage;
  let context: PipelineContext;
  let transfer: OpenedPackage;

  const write = async (model: string) =>
    await copySample((text) => withModel(text, model).replace(SAMPLE_NAME, 'quilt/transfer'));

  beforeAll(async () => {
    const nobody = () => Promise.reject(new Error('no package is asked for'));
    base = await build(
      await contextOf(nobody),
      await copySample((text) => withModel(text, TINY_MODEL)),
    );
    context = await contextOf(() => Promise.resolve(base));
    transfer = await build(context, await write(transferModel(`{ package: ${SAMPLE_NAME} }`)));
  });

  it('holds the base as it was published, and says in its lockfile which it was', async () => {
    for (const name of ['model.json', 'weights.bin']) {
      const [kept, original] = [
        entryUnder(transfer.pkg, `models/base/${name}`),
        entryUnder(base.pkg, `models/${name}`),
      ];
      if (kept === undefined || original === undefined) throw new Error(`${name} is there`);
      expect(statedDigest(kept)).toBe(statedDigest(original));
    }
    const lockfile = entryUnder(transfer.pkg, 'manifest.lock.json');
    if (lockfile === undefined) throw new Error('the lockfile is there');
    const { bases } = JSON.parse((await transfer.read(lockfile)).toString('utf8')) as {
      bases: unknown;
    };
    expect(bases).toEqual([
      expect.objectContaining({ use: 'model', name: SAMPLE_NAME, topHash: base.topHash }),
    ]);
  });

  it('is proved on the spot without the base’s package', async () => {
    const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
    expect(await spotCheck(runtime, store, transfer, 100)).toMatchObject({
      proved: true,
      weights: 'same',
    });
  });

  it('is reproduced to the same top hash', async () => {
    const nobody = await contextOf(() => Promise.reject(new Error('no package is asked for')));
    const here = { node: '20.20.2', openFile: undefined };
    const options = { scope: 'all', from: 'package', network: 'offline', code: 'refuse' } as const;
    const result = await reproducePackage({ ...context, store: nobody.store }, transfer, {
      ...options,
      ...{ tolerance: undefined, here },
    });
    expect(result).toMatchObject({ reproduced: true, rebuilt: transfer.topHash, differences: [] });
  });

  it.each([
    ['{ package: quilt/open_images_sample, keep: 9 }', /model\.base\.keep: the base has 4 layers/],
    [
      '{ package: quilt/open_images_sample, path: models/other.json }',
      /has no models\/other\.json/,
    ],
    [
      '{ package: quilt/open_images_sample }\n  input: { widthPx: 25, heightPx: 24 }',
      /model\.input: the base takes 24 x 24 pixels, not 25 x 24/,
    ],
  ])('is refused with the place in its manifest where its base is %s', async (text, message) => {
    const manifest = await write(transferModel(text));
    await expect(build(context, manifest)).rejects.toMatchObject({
      code: 'manifest',
      message: expect.stringMatching(message) as string,
    });
  });
});
