/** Sentences about the parameters of a lockfile: what a manifest asks for, key by key. */
import type { Finding, LockedStep, LockSection } from './changes.ts';
import {
  change,
  inWords,
  type JsonDifference,
  shown,
  someNames,
  textsOf,
} from './json-difference.ts';
import { describeLayers } from './layer-sentences.ts';

/** What a change of a key says; several sentences where one value holds several things. */
type Describe = (difference: JsonDifference) => string | readonly string[];

interface Rule {
  /** The dotted key, or the beginning of one with a dot at its end. */
  readonly key: string;
  readonly section: LockSection;
  /** The steps that have the key in their own. */
  readonly roots: readonly LockedStep[];
  readonly describe: Describe;
  readonly effect?: string;
}

const QUERY = { section: 'query', roots: ['query'] } as const;
const FETCH = { section: 'fetch', roots: ['fetch'] } as const;
const CROP = { section: 'crop', roots: ['crop'] } as const;
const TRAIN = { section: 'model', roots: ['train'] } as const;

/** The first rule that fits a key counts. */
const RULES: readonly Rule[] = [
  {
    key: 'description',
    section: 'package',
    roots: ['summarize'],
    describe: plain('the description'),
  },
  { key: 'license', section: 'package', roots: ['summarize'], describe: plain('the licence') },
  {
    key: 'package',
    section: 'bases',
    roots: ['dataset'],
    describe: plain('the data set that is asked for'),
  },
  { key: 'source', section: 'sources', roots: ['query', 'fetch'], describe: plain('the tables') },
  {
    key: 'source.',
    section: 'sources',
    roots: ['query', 'fetch'],
    describe: named('the tables of'),
  },
  { key: 'without', section: 'query', roots: ['exclude', 'fetch'], describe: withoutSentences },
  { key: 'query.classes', ...QUERY, describe: classesSentences },
  { key: 'query.descendants', ...QUERY, describe: descendantsSentence },
  { key: 'query.where', ...QUERY, describe: whereSentence },
  { key: 'query.imagesPerClass', ...QUERY, describe: perClassSentence },
  { key: 'query.', ...QUERY, describe: named('the query:') },
  { key: 'fetch.maxBytes', ...FETCH, describe: plain('the largest photo in bytes') },
  {
    key: 'fetch.changed',
    section: 'fetch',
    roots: ['fetch', 'crop'],
    describe: plain('photos that are no longer as published:'),
  },
  { key: 'fetch.from', ...FETCH, describe: plain('where photos are asked for:') },
  { key: 'fetch.', ...FETCH, describe: named('the fetch:') },
  { key: 'crop.format', ...CROP, describe: plain('the format of the crops') },
  { key: 'crop.quality', ...CROP, describe: plain('the quality of the crops') },
  {
    key: 'crop.minSidePx',
    ...CROP,
    describe: plain('the smallest side of a crop in pixels'),
    effect: 'other small crops are left out, and the model will change',
  },
  { key: 'crop.paddingFraction', ...CROP, describe: plain('the padding of the crops') },
  {
    key: 'crop.upright',
    ...CROP,
    describe: plain('whether crops are turned upright:'),
    effect: 'crops of turned photos and the model will change',
  },
  { key: 'crop.', ...CROP, describe: named('the crops:') },
  { key: 'split.', section: 'split', roots: ['split'], describe: named('the split:') },
  { key: 'model', section: 'model', roots: ['examples', 'summarize'], describe: modelSentence },
  {
    key: 'model.engine',
    section: 'model',
    roots: ['train', 'summarize'],
    describe: plain('the engine'),
  },
  {
    key: 'model.input',
    section: 'model',
    roots: ['examples', 'train'],
    describe: plain("the network's input"),
  },
  {
    key: 'model.input.',
    section: 'model',
    roots: ['examples', 'train'],
    describe: named("the network's input:"),
  },
  { key: 'model.layers', ...TRAIN, describe: describeLayers },
  { key: 'model.entry', ...TRAIN, describe: plain('the module that makes the model') },
  { key: 'model.base', ...TRAIN, describe: plain('the model that is built upon') },
  { key: 'model.base.', ...TRAIN, describe: named('the model that is built upon:') },
  { key: 'model.augment', ...TRAIN, describe: plain('the augmentation') },
  { key: 'model.augment.', ...TRAIN, describe: named('the augmentation:') },
  { key: 'model.fit.optimizer', ...TRAIN, describe: plain('the optimizer') },
  { key: 'model.fit.optimizer.', ...TRAIN, describe: optimizerSentence },
  {
    key: 'model.fit.learningRateSchedule',
    ...TRAIN,
    describe: plain('the schedule of the learning rate'),
  },
  {
    key: 'model.fit.learningRateSchedule.',
    ...TRAIN,
    describe: named('the schedule of the learning rate:'),
  },
  { key: 'model.fit.classWeights', ...TRAIN, describe: plain('the weighting of the classes') },
  { key: 'model.fit.classWeights.', ...TRAIN, describe: weightSentence },
  { key: 'model.fit.earlyStopping', ...TRAIN, describe: plain('early stopping') },
  { key: 'model.fit.earlyStopping.', ...TRAIN, describe: named('early stopping:') },
  { key: 'model.fit.', ...TRAIN, describe: named('the training:') },
  { key: 'model.', ...TRAIN, describe: named('the model:') },
  {
    key: 'seed',
    section: 'seed',
    roots: ['query', 'split', 'train', 'summarize'],
    describe: plain('the seed'),
    effect: 'samples, splits and the model may be others',
  },
];

/** The rule for a key that is not known: it may be of any step. */
const UNKNOWN: Omit<Rule, 'key'> = {
  section: 'package',
  roots: ['query', 'dataset'],
  describe: (difference) => `${difference.path.join('.')}: ${change(difference)}`,
};

/** What one differing parameter says. */
export function describeParameter(difference: JsonDifference): readonly Finding[] {
  const key = difference.path.join('.');
  const fits = (rule: Rule) =>
    rule.key.endsWith('.') ? key.startsWith(rule.key) : key === rule.key;
  const { section, roots, describe, effect } = RULES.find(fits) ?? wholeRule(key) ?? UNKNOWN;
  const said = describe(difference);
  const sentences = typeof said === 'string' ? [said] : said;
  return sentences.map((sentence) => ({ section, sentence, roots, effect }));
}

/** The rule for an object that came or went as a whole, such as `crop`. */
function wholeRule(key: string): Rule | undefined {
  const part = RULES.find((rule) => rule.key.startsWith(`${key}.`));
  return (
    part && { ...part, key, describe: plain(`the ${inWords(key.slice(key.lastIndexOf('.') + 1))}`) }
  );
}

/** `<what> changed was -> is`, or that it is there or gone; behind a colon only `was -> is`. */
function plain(what: string): Describe {
  return ({ was, is }) => {
    if (what.endsWith(':')) return `${what} ${change({ was, is })}`;
    if (was === undefined) return `${what} is now set: ${shown(is)}`;
    if (is === undefined) return `${what} is no longer set; it was ${shown(was)}`;
    return `${what} changed ${change({ was, is })}`;
  };
}

/** The same under the last word of the key. */
function named(what: string): Describe {
  return ({ path, was, is }) => `${what} ${inWords(path.at(-1) ?? '')} ${change({ was, is })}`;
}

function classesSentences({ was, is }: JsonDifference): readonly string[] {
  const [before, after] = [textsOf(was), textsOf(is)];
  if (before === undefined || after === undefined) return [`the classes: ${change({ was, is })}`];
  const added = after.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !after.includes(name));
  if (added.length === 0 && removed.length === 0) {
    return [`the query names its classes in another order or another time: ${change({ was, is })}`];
  }
  return [
    ...(added.length === 0 ? [] : [`the query now also selects ${someNames(added, 20)}`]),
    ...(removed.length === 0 ? [] : [`the query no longer selects ${someNames(removed, 20)}`]),
  ];
}

function whereSentence({ was, is }: JsonDifference): string {
  if (was === undefined) return `the query now has a predicate: ${shown(is)}`;
  if (is === undefined) return `the query no longer has a predicate; it was ${shown(was)}`;
  return `the query's predicate changed: it was ${shown(was)}, it is ${shown(is)}`;
}

function descendantsSentence({ was, is }: JsonDifference): string {
  if (is === true) return 'the query now also selects the classes below those it names';
  if (was === true) return 'the query no longer selects the classes below those it names';
  return `the classes below those that the query names: ${change({ was, is })}`;
}

function perClassSentence({ was, is }: JsonDifference): string {
  if (is === undefined)
    return `all images of a class are selected, no longer at most ${shown(was)}`;
  if (was === undefined)
    return `at most ${shown(is)} images of a class are selected, no longer all`;
  return `images per class changed ${change({ was, is })}`;
}

function withoutSentences({ was, is }: JsonDifference): readonly string[] {
  const [before, after] = [textsOf(was ?? []), textsOf(is ?? [])];
  if (before === undefined || after === undefined) return [`left out: ${change({ was, is })}`];
  const added = after.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !after.includes(name));
  if (added.length === 0 && removed.length === 0)
    return [`left out, in another order: ${change({ was, is })}`];
  return [
    ...(added.length === 0 ? [] : [`the photos of ${someNames(added)} are now left out`]),
    ...(removed.length === 0 ? [] : [`the photos of ${someNames(removed)} are no longer left out`]),
  ];
}

function modelSentence({ was, is }: JsonDifference): string {
  if (was === undefined) return 'a model is now trained';
  return is === undefined ? 'no model is trained any more' : `the model: ${change({ was, is })}`;
}

/** A setting below `model.fit.optimizer.rmsprop` and the like. */
function optimizerSentence({ path, was, is }: JsonDifference): string {
  return `the optimizer ${path[3] ?? ''}: ${inWords(path.at(-1) ?? '')} ${change({ was, is })}`;
}

function weightSentence({ path, was, is }: JsonDifference): string {
  return `the weight of ${shown(path.at(-1))}: ${change({ was, is })}`;
}
