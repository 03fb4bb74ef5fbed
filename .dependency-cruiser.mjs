// The house: which folder may import which, each with its reason. Type imports count.

/** Folder -> the folders it may import from, besides itself. */
const MAY_IMPORT = {
  runtime: [[], 'it is what every function is given, so it knows nobody'],
  store: [['runtime'], 'it keeps bytes and knows nothing of what they are'],
  manifest: [['runtime'], 'a recipe is text and types; it touches no disk and no network'],
  openimages: [['runtime'], 'tables and labels; it knows nothing of steps or stores'],
  images: [['runtime'], 'pixels; it has never heard of Open Images'],
  classifier: [['runtime'], 'a network, its numbers and how it is trained; it knows no files'],
  engine: [
    ['classifier', 'runtime'],
    'kernels and the memory they work on; one maker of an Engine',
  ],
  evaluation: [['runtime'], 'how good predictions are is a matter of numbers alone'],
  models: [['classifier', 'runtime'], 'a classifier as files that others read; bytes, not disks'],
  http: [['store', 'runtime'], 'it fetches bytes, and downloads them into the store'],
  package: [['store', 'runtime'], 'a package is what is handed over, whoever made it'],
  git: [
    ['http', 'store', 'runtime'],
    'it names a commit and fetches its files; what they are for is nothing to it',
  ],
  environment: [
    ['manifest', 'store', 'runtime'],
    'what a package is made in, is pinned and compared without running any of it',
  ],
  lockfile: [
    ['environment', 'manifest', 'http', 'store', 'runtime'],
    'it pins what a manifest names',
  ],
  changes: [['lockfile', 'store', 'runtime'], 'it tells two lockfiles apart and writes neither'],
  merging: [['changes', 'lockfile', 'store', 'runtime'], 'it makes one lockfile of two, for git'],
  sandbox: [
    ['git', 'store', 'runtime'],
    'it runs code that nobody vouches for, and knows as little as it can',
  ],
  photos: [
    ['openimages', 'images', 'http', 'store', 'runtime'],
    'what became of an image is decided from answers and pixels',
  ],
  summaries: [
    ['photos', 'openimages', 'images', 'store', 'runtime'],
    'it shows tables and pictures to people',
  ],
  steps: [
    [
      ...['summaries', 'photos', 'manifest', 'openimages', 'images', 'http', 'store', 'runtime'],
      ...['evaluation', 'models', 'engine', 'classifier', 'sandbox'],
    ],
    'a step turns tables and pictures into trees',
  ],
  packs: [
    ['store', 'runtime'],
    'it lays bytes out in packs and finds them again; it knows no network and no disk',
  ],
  storage: [['package', 'store', 'runtime'], 'it keeps bytes under keys, in a folder or a bucket'],
  signatures: [['package', 'store', 'runtime'], 'whose word a signature is needs no registry'],
  objects: [
    ['packs', 'storage', 'package', 'store', 'runtime'],
    'where an object lies in a registry is nothing to whoever asks for it',
  ],
  provenance: [
    ['signatures', 'package', 'store', 'runtime'],
    'how a package was made is a statement about digests',
  ],
  workflows: [['package', 'store', 'runtime'], 'rules about packages need no registry'],
  registry: [
    [
      ...['objects', 'workflows', 'provenance', 'signatures'],
      ...['packs', 'storage', 'package', 'store', 'runtime'],
    ],
    'sharing never loads what making needs',
  ],
  lineage: [
    [
      ...['installation', 'registry', 'objects', 'provenance', 'openimages'],
      ...['storage', 'package', 'store', 'runtime'],
    ],
    'where a file came from and what became of it is read out of packages, not remembered by who made them',
  ],
  inspection: [
    ['lineage', 'registry', 'objects', 'packs', 'storage', 'package', 'store', 'runtime'],
    'it looks at a registry as a whole and changes nothing',
  ],
  repair: [
    [
      ...['inspection', 'lineage', 'registry', 'objects'],
      ...['packs', 'storage', 'package', 'store', 'runtime'],
    ],
    'it mends what an inspection found',
  ],
  conversion: [
    [
      ...['repair', 'inspection', 'registry', 'objects'],
      ...['packs', 'storage', 'package', 'store', 'runtime'],
    ],
    'it changes how a registry keeps objects, and no package',
  ],
  sweep: [
    ['lineage', 'registry', 'objects', 'packs', 'storage', 'package', 'store', 'runtime'],
    'it takes away what nothing reaches',
  ],
  installation: [
    ['registry', 'objects', 'signatures', 'packs', 'storage', 'package', 'store', 'runtime'],
    'it puts what a registry holds into a folder, and never loads what making needs',
  ],
  derivation: [
    [
      ...['installation', 'objects', 'steps', 'images', 'openimages', 'photos', 'manifest'],
      ...['lockfile', 'package', 'packs', 'storage', 'store', 'runtime'],
    ],
    'it makes crops out of photos instead of fetching them; installing never loads what making needs',
  ],
  comparison: [
    ['installation', 'package', 'photos', 'openimages', 'store', 'runtime'],
    'it tells two packages apart in words, whoever made them',
  ],
  prediction: [
    [
      ...['installation', 'registry', 'objects', 'storage', 'package', 'store', 'runtime'],
      ...['models', 'engine', 'classifier', 'images', 'openimages'],
    ],
    'it runs a packaged model on photos; how either was made is nothing to it',
  ],
  pipeline: [
    [
      ...[
        'merging',
        'lockfile',
        'steps',
        'summaries',
        'environment',
        'git',
        'provenance',
        'installation',
      ],
      ...['package', 'manifest', 'http', 'store', 'runtime'],
    ],
    'it orders steps and assembles their outputs',
  ],
  reproduction: [
    [
      ...['pipeline', 'lockfile', 'steps', 'environment', 'git', 'provenance', 'installation'],
      ...['photos', 'models', 'classifier', 'manifest', 'package', 'http', 'store', 'runtime'],
    ],
    'it does the work of a package again and compares',
  ],
  cli: [['index.ts'], 'the terminal uses the library as anyone else would'],
};

const folderRules = Object.entries(MAY_IMPORT).map(([folder, [allowed, reason]]) => ({
  name: `${folder}-imports`,
  comment: `${folder}/ ${reason}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [folder, ...allowed].map((name) =>
      name.endsWith('.ts') ? `^src/${name.replace('.', '\\.')}$` : `^src/${name}/`,
    ),
  },
}));

/** Heavy library -> the files that may load it. */
const HOMES = {
  'isomorphic-git': '^src/git/isomorphic\\.ts$',
  '@duckdb/node-api': '^src/openimages/',
  sharp: '^src/images/sharp\\.ts$',
  '@aws-sdk/client-s3': '^src/storage/s3-control\\.ts$',
  undici: '^src/http/',
  ajv: '^src/workflows/(draft-7|json-schema)\\.ts$',
  h5wasm: '^src/models/keras\\.ts$',
  commander: '^src/cli/main\\.ts$',
  'cli-progress': '^src/cli/progress\\.ts$',
  yaml: '^src/(manifest/parse|workflows/workflow-config)\\.ts$',
};

const homeRules = Object.entries(HOMES).map(([library, home]) => ({
  name: `home-of-${library.replace(/[@/]/g, '-')}`,
  comment: `${library} is loaded in one place, so that what does not need it starts at once.`,
  severity: 'error',
  from: { path: '^src/', pathNot: home },
  to: { path: `node_modules/${library}/` },
}));

/** Where files are the subject. */
const FILE_FOLDERS = [
  '^src/store/',
  '^src/engine/kernels\\.ts$',
  '^src/environment/reproducing-dockerfile\\.ts$',
  '^src/git/(read-tar|recorded-tree|work-tree|local-repository)\\.ts$',
  '^src/http/download\\.ts$',
  '^src/lockfile/lock-file\\.ts$',
  '^src/openimages/(labels|tables)\\.ts$',
  '^src/sandbox/',
  '^src/package/(folder|verify|file-content)\\.ts$',
  '^src/photos/answer\\.ts$',
  '^src/pipeline/(init|lock|pins)\\.ts$',
  '^src/prediction/(find-model|photos)\\.ts$',
  '^src/installation/',
  '^src/registry/lists\\.ts$',
  '^src/signatures/keys\\.ts$',
  '^src/storage/directory(-lock)?\\.ts$',
  '^src/steps/query\\.ts$',
  '^src/cli/',
];

export default {
  forbidden: [
    ...folderRules,
    ...homeRules,
    {
      name: 'index-is-the-face',
      comment: 'Inside, files import the file that defines a name; index.ts is for users.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'nobody-imports-cli',
      comment: 'The library works without a terminal.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'files-are-the-subject',
      comment: 'node:fs only where files are the subject.',
      severity: 'error',
      from: { path: '^src/', pathNot: FILE_FOLDERS },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'no-circular',
      comment: 'A cycle means that two files are one.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports and that imports nobody is dead.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/cli/bin\\.cts$|\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'not-to-dev-dep',
      comment: 'Users do not have our development tools.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.cts', '.mjs', '.js', '.cjs', '.json'],
    },
  },
};
