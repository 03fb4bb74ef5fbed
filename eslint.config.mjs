// Rules that need types. Formatting is Biome's; imports between folders are dependency-cruiser's.
import tseslint from 'typescript-eslint';

/** Engine-dependent results: the specification leaves their last bits to each engine. */
const INEXACT_MATH = [
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'cbrt', 'cos', 'cosh', 'exp'],
  ...['expm1', 'hypot', 'log', 'log10', 'log1p', 'log2', 'pow', 'sin', 'sinh', 'tan', 'tanh'],
];

const HIDDEN_INPUTS = [
  { object: 'Math', property: 'random', message: 'Randomness comes in by runtime.random.' },
  { object: 'Date', property: 'now', message: 'Time comes in by runtime.clock.' },
];

/** Files that make typed values of bytes, tables and JSON, where an assertion is the last step. */
const PARSERS = [
  'src/lockfile/{drift,resolve}.ts',
  'src/openimages/{boxes,csv}.ts',
  'src/pipeline/built.ts',
  'src/storage/s3*.ts',
  'src/store/canonical-json.ts',
  'src/steps/{crop,fetch,photo-crops,summarize}.ts',
  'src/summaries/sheets.ts',
  'test/**/*.ts',
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.tools', '.tmp'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 5],
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only cli/ knows the process.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        {
          selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
          message: 'Time comes in by runtime.clock.',
        },
        {
          selector: 'CallExpression[callee.property.name=/^(localeCompare|toLocaleString)$/]',
          message: 'The result depends on the machine.',
        },
      ],
      'no-restricted-properties': [
        'error',
        ...HIDDEN_INPUTS,
        ...INEXACT_MATH.map((property) => ({
          object: 'Math',
          property,
          message: 'Its last bits differ between engines.',
        })),
      ],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  { files: PARSERS, rules: { '@typescript-eslint/consistent-type-assertions': 'off' } },
  {
    files: ['src/cli/**', 'test/**'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['src/runtime/runtime.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    files: ['scripts/**', 'bench/**', 'manifests/**'],
    rules: {
      'no-console': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    files: ['test/**'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': 'off',
    },
  },
);
