/** Lockfiles as branches leave them: one of every part, and the edits that a person and `pkg lock` make of it. */
import fc from 'fast-check';
import { type Lockfile, parseLockfile } from '../../src/lockfile/lockfile.ts';
import { digestOf } from '../../src/store/digest.ts';

/** A lockfile as plain JSON, to be edited. */
export interface EditedLockfile {
  [key: string]: unknown;
  parameters: Record<string, Record<string, unknown>>;
  toolchain: Record<string, string>;
}

/** One change of one section, always the same for the same number. */
export interface LockEdit {
  /** Edits of one section may be in conflict. */
  readonly section: string;
  readonly apply: (lockfile: EditedLockfile, value: number) => void;
  /** Whether it changes what is asked of the network. */
  readonly asks: boolean;
}

const source = (url: string, content = url) => ({
  url,
  digest: digestOf(content),
  sizeBytes: content.length,
});

/** The lockfile that branches begin with: with every part that there can be. */
export function rootLockfile(): Lockfile {
  const url = (name: string) => `https://host/${name}.csv`;
  return parseLockfile(
    JSON.stringify({
      lockfileVersion: 1,
      name: 'user/name',
      manifest: digestOf('manifest'),
      toolchain: {
        query: '1',
        fetch: '1',
        crop: '1',
        train: '1',
        duckdb: '1.5.6',
        sharp: '0.35.5',
      },
      parameters: {
        description: 'Fruit.',
        license: 'CC0-1.0',
        source: {
          classes: url('classes'),
          boxes: [url('boxes')],
          images: [url('train'), url('test')],
          hierarchy: url('tree'),
        },
        query: { classes: ['Apple', 'Orange'], descendants: false, where: 'NOT IsGroupOf' },
        fetch: { maxBytes: 50_000_000, changed: 'keep', from: ['original'] },
        crop: { minSidePx: 1, paddingFraction: 0, upright: true, format: 'jpeg', quality: 92 },
        split: { validation: 0.2, test: 0 },
        model: {
          engine: 'deterministic',
          input: { widthPx: 64, heightPx: 64 },
          base: { package: `user/base@${'1'.repeat(64)}`, path: 'models/model.json' },
          layers: [
            { conv2d: { filters: 32, kernelSize: 3 } },
            { maxPooling2d: { poolSize: 2 } },
            { conv2d: { filters: 64, kernelSize: 3 } },
            { flatten: {} },
            { dropout: { rate: 0.5 } },
            { dense: { units: 1, activation: 'sigmoid' } },
          ],
          augment: { zoom: 0.1, horizontalFlip: true },
          fit: {
            batchSize: 16,
            epochs: 10,
            optimizer: { rmsprop: { learningRate: 0.001, rho: 0.9 } },
            earlyStopping: { monitor: 'val_loss', patience: 4 },
          },
        },
        code: { repository: 'https://host/code.git', revision: 'main' },
        environment: { node: '20.20.2', lockfile: 'package-lock.json', dockerfile: 'Dockerfile' },
        seed: 7,
      },
      sources: {
        classes: source(url('classes')),
        boxes: [{ ...source(url('boxes')), etag: '"b1"' }],
        images: [source(url('train')), source(url('test'))],
        hierarchy: source(url('tree')),
      },
      bases: [
        { use: 'model', name: 'user/base', topHash: '1'.repeat(64), path: 'models/model.json' },
      ],
      code: {
        repository: 'https://host/code.git',
        revision: 'main',
        commit: 'a1b2c3d'.padEnd(40, '0'),
        tar: { digest: digestOf('tar'), sizeBytes: 3 },
      },
      environment: {
        node: '20.20.2',
        lockfile: {
          path: 'package-lock.json',
          digest: digestOf('lock'),
          sizeBytes: 4,
          lockfileVersion: 3,
        },
        dockerfile: {
          path: 'Dockerfile',
          digest: digestOf('docker'),
          sizeBytes: 6,
          baseImages: [`node@sha256:${'2'.repeat(64)}`],
        },
      },
      fetch: {
        record: { digest: digestOf('record'), sizeBytes: 6 },
        images: 5,
        exceptions: { image1: 'missing', image2: `changed ${digestOf('other')}` },
      },
    }),
    'root.lock.json',
  );
}

const parameter =
  (section: string, key: string, values: readonly unknown[]) =>
  ({ parameters }: EditedLockfile, value: number) => {
    parameters[section] = { ...parameters[section], [key]: values[value % values.length] };
  };

const inModel = (change: (model: Record<string, unknown>, value: number) => void) => {
  return ({ parameters }: EditedLockfile, value: number) => {
    const model = structuredClone(parameters['model'] ?? {});
    change(model, value);
    parameters['model'] = model;
  };
};

const LIST_OF_CLASSES = [
  ['Apple', 'Orange', 'Pear'],
  ['Apple'],
  ['Orange', 'Apple'],
  ['Fig', 'Orange'],
];

/** Edits by name; each changes what belongs together, as a manifest locked anew does. */
export const EDITS: Readonly<Record<string, LockEdit>> = {
  license: {
    section: 'license',
    asks: false,
    apply: (lockfile, value) =>
      Object.assign(lockfile.parameters, { license: `L${String(value)}` }),
  },
  classes: {
    section: 'query.classes',
    asks: true,
    apply: parameter('query', 'classes', LIST_OF_CLASSES),
  },
  where: {
    section: 'query.where',
    asks: true,
    apply: parameter('query', 'where', ['IsDepiction', undefined, 'x']),
  },
  seed: {
    section: 'seed',
    asks: true,
    apply: (lockfile, value) => Object.assign(lockfile.parameters, { seed: value }),
  },
  quality: {
    section: 'crop.quality',
    asks: false,
    apply: parameter('crop', 'quality', [80, 81, 82]),
  },
  split: { section: 'split', asks: false, apply: parameter('split', 'validation', [0.3, 0.4]) },
  epochs: {
    section: 'model.fit.epochs',
    asks: false,
    apply: inModel((model, value) =>
      Object.assign(model['fit'] as object, { epochs: 20 + (value % 3) }),
    ),
  },
  optimizer: {
    section: 'model.fit.optimizer',
    asks: false,
    apply: inModel((model, value) =>
      Object.assign(model['fit'] as object, { optimizer: { adam: { learningRate: value % 3 } } }),
    ),
  },
  firstLayer: {
    section: 'model.layers.0',
    asks: false,
    apply: inModel((model, value) => {
      const [, ...rest] = model['layers'] as object[];
      model['layers'] = [{ conv2d: { filters: 1 + (value % 3), kernelSize: 5 } }, ...rest];
    }),
  },
  lastLayer: {
    section: 'model.layers.-1',
    asks: false,
    apply: inModel((model, value) => {
      model['layers'] = [
        ...(model['layers'] as object[]),
        { activation: { function: `f${String(value % 3)}` } },
      ];
    }),
  },
  noAugmentation: {
    section: 'model.augment',
    asks: false,
    apply: inModel((model) => delete model['augment']),
  },
  boxes: {
    section: 'sources.boxes',
    asks: true,
    apply: (lockfile, value) => {
      const url = `https://host/boxes-${String(value % 3)}.csv`;
      lockfile.parameters['source'] = { ...lockfile.parameters['source'], boxes: [url] };
      lockfile['sources'] = { ...(lockfile['sources'] as object), boxes: [source(url)] };
    },
  },
  renewedBoxes: {
    section: 'sources.boxes',
    asks: true,
    apply: (lockfile, value) => {
      const [url] = lockfile.parameters['source']?.['boxes'] as [string];
      lockfile['sources'] = {
        ...(lockfile['sources'] as object),
        boxes: [source(url, `content ${String(value % 3)}`)],
      };
    },
  },
  renewedClasses: {
    section: 'sources.classes',
    asks: true,
    apply: (lockfile, value) => {
      const url = lockfile.parameters['source']?.['classes'] as string;
      lockfile['sources'] = {
        ...(lockfile['sources'] as object),
        classes: source(url, `content ${String(value % 3)}`),
      };
    },
  },
  movedCode: {
    section: 'code',
    asks: false,
    apply: (lockfile, value) => {
      const tar = { digest: digestOf(`tar ${String(value % 3)}`), sizeBytes: 5 };
      const commit = `d${String(value % 3)}`.padEnd(40, 'e');
      lockfile['code'] = { ...(lockfile['code'] as object), commit, tar };
    },
  },
  branch: {
    section: 'code',
    asks: false,
    apply: (lockfile, value) => {
      const revision = `branch${String(value % 3)}`;
      lockfile.parameters['code'] = { ...lockfile.parameters['code'], revision };
      lockfile['code'] = { ...(lockfile['code'] as object), revision };
    },
  },
  otherBase: {
    section: 'model.base',
    asks: false,
    apply: (lockfile, value) => {
      const topHash = String(value % 3).repeat(64);
      inModel((model) =>
        Object.assign(model['base'] as object, { package: `user/base@${topHash}` }),
      )(lockfile, value);
      lockfile['bases'] = [{ use: 'model', name: 'user/base', topHash, path: 'models/model.json' }];
    },
  },
  node: {
    section: 'environment.node',
    asks: false,
    apply: (lockfile, value) => {
      const node = `20.20.${String(value % 3)}`;
      lockfile.parameters['environment'] = { ...lockfile.parameters['environment'], node };
      lockfile['environment'] = { ...(lockfile['environment'] as object), node };
    },
  },
  sharp: {
    section: 'toolchain.sharp',
    asks: true,
    apply: (lockfile, value) =>
      Object.assign(lockfile.toolchain, { sharp: `1.${String(value % 3)}` }),
  },
  crop: {
    section: 'toolchain.crop',
    asks: false,
    apply: (lockfile, value) =>
      Object.assign(lockfile.toolchain, { crop: `2.${String(value % 3)}` }),
  },
  recorded: {
    section: 'fetch',
    asks: false,
    apply: (lockfile, value) => {
      const record = { digest: digestOf(`record ${String(value % 3)}`), sizeBytes: 8 };
      lockfile['fetch'] = { record, images: 5, exceptions: { image1: 'missing' } };
    },
  },
};

/** A lockfile with edits made one after the other; the record goes with its questions, as in locking. */
export function edited(
  lockfile: Lockfile,
  edits: readonly (readonly [name: string, value: number])[],
): Lockfile {
  const copy = structuredClone(lockfile) as unknown as EditedLockfile;
  for (const [name, value] of edits) {
    const edit = EDITS[name];
    if (edit === undefined) throw new Error(`no edit ${name}`);
    edit.apply(copy, value);
    if (edit.asks) delete copy['fetch'];
  }
  if (edits.length > 0) copy['manifest'] = digestOf(JSON.stringify(edits));
  return parseLockfile(JSON.stringify(copy), 'edited.lock.json');
}

/** Some edits, each with the number that its value is made of. */
export const someEdits = fc.array(fc.tuple(fc.constantFrom(...Object.keys(EDITS)), fc.nat(5)), {
  maxLength: 4,
});
