/** Changes of lockfiles as a person reads them. */
import { describe, expect, it } from 'vitest';
import { describeLockChanges } from '../../src/changes/describe.ts';
import { type Lockfile, parseLockfile } from '../../src/lockfile/lockfile.ts';
import { digestOf } from '../../src/store/digest.ts';
import { edited, rootLockfile } from '../support/lock-edits.ts';

const root = rootLockfile();

/** The lockfile with members replaced, or taken out where they are undefined. */
function changed(change: (lockfile: Record<string, object>) => void): Lockfile {
  const copy = structuredClone(root) as unknown as Record<string, object>;
  change(copy);
  return parseLockfile(JSON.stringify(copy), 'changed.lock.json');
}

const sentences = (before: Lockfile, after: Lockfile) =>
  describeLockChanges(before, after).map(({ sentence }) => sentence);

const parameters = (change: (parameters: Record<string, Record<string, unknown>>) => void) =>
  changed(({ parameters: found }) => change(found as Record<string, Record<string, unknown>>));

describe('describeLockChanges', () => {
  it('says nothing of the same pins, whatever their ETags and the order of keys', () => {
    const other = changed((lockfile) => {
      const { parameters: found, sources } = lockfile as {
        parameters: object;
        sources: { boxes: [object] };
      };
      Object.assign(lockfile, { parameters: Object.fromEntries(Object.entries(found).reverse()) });
      Object.assign(sources.boxes[0], { etag: '"other"' });
    });
    expect(sentences(root, other)).toEqual([]);
  });

  it.each([
    [{ classes: ['Apple', 'Orange', 'Hot dog'] }, ['the query now also selects Hot dog']],
    [{ classes: ['Orange'] }, ['the query no longer selects Apple']],
    [
      { classes: ['Fig', 'Orange'] },
      ['the query now also selects Fig', 'the query no longer selects Apple'],
    ],
    [
      { classes: ['Orange', 'Apple'] },
      [
        'the query names its classes in another order or another time: Apple, Orange -> Orange, Apple',
      ],
    ],
    [
      { where: 'IsDepiction' },
      ["the query's predicate changed: it was NOT IsGroupOf, it is IsDepiction"],
    ],
    [{ where: undefined }, ['the query no longer has a predicate; it was NOT IsGroupOf']],
    [{ imagesPerClass: 20 }, ['at most 20 images of a class are selected, no longer all']],
    [{ descendants: true }, ['the query now also selects the classes below those it names']],
  ])('tells what a query selects (%#)', (query, expected) => {
    const after = parameters((found) => Object.assign(found['query'] ?? {}, query));
    const changes = describeLockChanges(root, after);
    expect(changes.map(({ sentence }) => sentence)).toEqual(expected);
    for (const change of changes) {
      expect(change).toMatchObject({
        section: 'query',
        effect: 'photos are selected anew, and crops and model follow',
        steps: ['query', 'fetch', 'crop', 'split', 'examples', 'train', 'evaluate', 'summarize'],
      });
    }
  });

  it('tells what becomes of crops and model, and that nothing else runs again', () => {
    const quality = parameters((found) => Object.assign(found['crop'] ?? {}, { quality: 80 }));
    expect(describeLockChanges(root, quality)).toEqual([
      {
        section: 'crop',
        sentence: 'the quality of the crops changed 92 -> 80',
        effect: 'every crop and the model will change',
        steps: ['crop', 'split', 'examples', 'train', 'evaluate', 'summarize'],
      },
    ]);
    const withoutModel = (lockfile: Lockfile) => {
      const { model: _, ...rest } = lockfile.parameters;
      return { ...lockfile, parameters: rest };
    };
    expect(describeLockChanges(withoutModel(root), withoutModel(quality))).toMatchObject([
      { effect: 'every crop will change', steps: ['crop', 'split', 'summarize'] },
    ]);
    expect(describeLockChanges(root, edited(root, [['license', 1]]))).toMatchObject([
      { sentence: 'the licence changed CC0-1.0 -> L1', steps: ['summarize'] },
    ]);
  });

  it('names layers by their places, before and now', () => {
    const after = parameters(({ model }) => {
      const layers = model?.['layers'] as object[];
      Object.assign(model ?? {}, {
        layers: [
          layers[0],
          { batchNormalization: { momentum: 0.9 } },
          layers[1],
          { conv2d: { filters: 128, kernelSize: 3 } },
          layers[3],
          layers[5],
        ],
      });
    });
    const changes = describeLockChanges(root, after);
    expect(changes.map(({ sentence }) => sentence)).toEqual([
      'layer 2 batchNormalization (momentum 0.9) is new',
      'layer 3, now 4, conv2d: filters 64 -> 128',
      'layer 5 dropout (rate 0.5) is gone',
    ]);
    expect(changes[0]).toMatchObject({
      effect: 'the model will change, no crop does',
      steps: ['train', 'evaluate'],
    });
  });

  it('names what a training does otherwise', () => {
    const after = parameters(({ model }) => {
      const { augment: _, ...rest } = model ?? {};
      const fit = {
        ...(rest['fit'] as object),
        epochs: 20,
        optimizer: { rmsprop: { learningRate: 0.002, rho: 0.9 } },
        classWeights: { Apple: 2 },
        earlyStopping: undefined,
      };
      Object.assign(model ?? {}, rest, { augment: { zoom: 0.3, horizontalFlip: true }, fit });
    });
    expect(sentences(root, after)).toEqual([
      'the augmentation: zoom 0.1 -> 0.3',
      'the training: epochs 10 -> 20',
      'the optimizer rmsprop: learning rate 0.001 -> 0.002',
      'early stopping is no longer set; it was monitor val_loss, patience 4',
      'the weighting of the classes is now set: Apple 2',
    ]);
    expect(sentences(root, edited(root, [['optimizer', 1]]))).toEqual([
      'the optimizer changed rmsprop (learning rate 0.001, rho 0.9) -> adam (learning rate 1)',
    ]);
    expect(sentences(root, edited(root, [['noAugmentation', 1]]))).toEqual([
      'the augmentation is no longer set; it was zoom 0.1, horizontal flip true',
    ]);
  });

  it('tells tables with other bytes from those that moved, came or went', () => {
    const bytes = describeLockChanges(root, {
      ...edited(root, [['renewedBoxes', 1]]),
      fetch: root.fetch,
    });
    const [was, is] = ['https://host/boxes.csv', 'content 1'].map((text) =>
      digestOf(text).slice(0, 12),
    );
    expect(bytes).toMatchObject([
      {
        sentence: `source boxes: https://host/boxes.csv has other bytes, 22 -> 9 (${String(was)} -> ${String(is)})`,
        effect: 'photos are selected anew, and crops and model follow',
      },
    ]);
    const moved = changed((lockfile) => {
      const { sources, parameters: found } = lockfile as unknown as {
        sources: { classes: object; images: object[]; hierarchy?: object };
        parameters: { source: Record<string, unknown> };
      };
      Object.assign(sources.classes, { url: 'mirror.csv' });
      sources.images.splice(1, 1);
      delete sources.hierarchy;
      found.source = {
        classes: 'mirror.csv',
        boxes: ['https://host/boxes.csv'],
        images: ['https://host/train.csv'],
      };
    });
    expect(describeLockChanges(root, moved)).toMatchObject([
      {
        sentence: 'source classes: https://host/classes.csv -> mirror.csv, with the same bytes',
        steps: [],
      },
      { sentence: 'source images: https://host/test.csv is gone' },
      { sentence: 'source hierarchy: https://host/tree.csv is gone' },
    ]);
  });

  it('tells where code, environment and bases moved', () => {
    const changes = describeLockChanges(
      root,
      edited(root, [
        ['movedCode', 1],
        ['node', 1],
        ['otherBase', 2],
      ]),
    );
    expect(changes.map(({ section, sentence }) => [section, sentence])).toEqual([
      [
        'model',
        `the model that is built upon: package user/base@${'1'.repeat(64)} -> user/base@${'2'.repeat(64)}`,
      ],
      [
        'bases',
        `the package whose model is built upon: user/base@${'1'.repeat(12)} models/model.json -> user/base@${'2'.repeat(12)} models/model.json`,
      ],
      ['code', 'the code moved a1b2c3d -> d1eeeee (main of https://host/code.git)'],
      ['environment', 'Node: 20.20.2 -> 20.20.1'],
    ]);
    expect(changes.filter(({ section }) => section === 'code')).toMatchObject([
      { effect: 'the code in the package changes, no step runs again', steps: [] },
    ]);
    const dirty = changed(({ code }) => Object.assign(code ?? {}, { dirty: true }));
    expect(sentences(root, dirty)).toEqual([
      'the code is another a1b2c3d -> a1b2c3d with changes that are not committed (main of https://host/code.git)',
    ]);
    const docker = changed(({ environment }) => {
      const { dockerfile } = environment as { dockerfile: object };
      Object.assign(dockerfile, {
        digest: digestOf('d'),
        sizeBytes: 9,
        baseImages: ['node@sha256:3'],
      });
    });
    expect(sentences(root, docker)).toEqual([
      `Dockerfile changed, 6 -> 9 bytes (${digestOf('docker').slice(0, 12)} -> ${digestOf('d').slice(0, 12)}); ` +
        `its base images: node@sha256:${'2'.repeat(64)} -> node@sha256:3`,
    ]);
  });

  it('runs the training again for code that makes the model', () => {
    const withEntry = parameters(({ model }) => Object.assign(model ?? {}, { entry: 'model.js' }));
    const code = {
      ...root.code,
      commit: 'f'.repeat(40),
      tar: { digest: digestOf('t'), sizeBytes: 1 },
    };
    const after = parseLockfile(JSON.stringify({ ...withEntry, code }), 'x');
    expect(describeLockChanges(withEntry, after)).toMatchObject([
      { section: 'code', steps: ['train', 'evaluate'] },
    ]);
  });

  it('says what a tool that changed does', () => {
    const after = {
      ...root,
      toolchain: { ...root.toolchain, sharp: '0.35.6', crop: '2', summarize: '1' },
    };
    expect(describeLockChanges(root, after)).toMatchObject([
      {
        sentence: 'how pkg does crop changed 1 -> 2',
        effect: 'every crop and the model will change',
      },
      {
        sentence: 'sharp (the decoder) changed 0.35.5 -> 0.35.6',
        effect: 'photos are decoded anew, and every crop and the model may change',
        steps: ['fetch', 'crop', 'split', 'examples', 'train', 'evaluate', 'summarize'],
      },
      { sentence: 'the tools now also count summarize', steps: [] },
    ]);
  });

  it('tells what became of photos', () => {
    const record = { record: { digest: digestOf('r'), sizeBytes: 6 }, images: 5 };
    const exceptions = { image2: `changed ${digestOf('x')}`, image3: 'missing', image4: 'missing' };
    const after = { ...root, fetch: { ...record, exceptions } };
    expect(sentences(root, after)).toEqual([
      '1 photo with other bytes, changed as before: image2',
      '2 photos now missing, ok before: image3, image4',
      '1 photo back, missing before: image1',
    ]);
    expect(
      sentences(after, {
        ...after,
        fetch: { ...after.fetch, images: 4, exceptions: { image4: 'corrupt' } },
      }),
    ).toEqual([
      '1 photo now corrupt, missing before: image4',
      '1 photo back, changed before: image2',
      '1 photo back, missing before: image3',
      'the record is of 4 photos, no longer of 5',
    ]);
    const again = { ...root, fetch: { ...record, exceptions: root.fetch?.exceptions ?? {} } };
    expect(sentences(root, again)).toEqual([
      'the record of what the network answered is another: addresses or HTTP statuses changed, no photo',
    ]);
    const { fetch: _, ...dropped } = root;
    expect(describeLockChanges(root, dropped)).toMatchObject([
      { sentence: 'the fetch record is dropped', effect: 'the next build asks the network again' },
    ]);
    expect(sentences(dropped, root)).toEqual([
      'what the network answered is now on record, 5 photos',
    ]);
    const elsewhere = { ...edited(root, [['where', 0]]), fetch: { ...record, exceptions: {} } };
    expect(sentences(root, elsewhere)).toContain(
      '1 photo back or no longer selected, missing before: image1',
    );
  });

  it('says of a data set that is taken as it is that it is no longer made', () => {
    const { sources: _, fetch: __, ...rest } = root;
    const {
      source: ___,
      query: ____,
      fetch: _____,
      crop: ______,
      split: _______,
      ...kept
    } = root.parameters;
    const after = { ...rest, parameters: { ...kept, package: 'user/data@1' } };
    expect(describeLockChanges(root, after)).toMatchObject([
      {
        section: 'bases',
        sentence: 'the data set is that of user/data@1, no longer made from tables',
        steps: ['dataset', 'examples', 'train', 'evaluate', 'summarize'],
      },
      { section: 'record' },
    ]);
    expect(sentences(after, root)[0]).toBe(
      'the data set is made from tables, no longer that of user/data@1',
    );
  });

  it('mentions the text of the manifest where nothing else changed', () => {
    const after = { ...root, manifest: digestOf('other text') };
    expect(describeLockChanges(root, after)).toMatchObject([
      {
        section: 'manifest',
        steps: [],
        sentence: 'the words or the pace of the manifest changed, and no input',
      },
    ]);
  });
});
