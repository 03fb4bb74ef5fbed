/** Lockfiles of two branches merged: what is taken, what is dropped, what is left to a person. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLockfile, type Lockfile } from '../../src/lockfile/lockfile.ts';
import { readingOf } from '../../src/merging/marked-text.ts';
import { mergeLockfileFiles } from '../../src/merging/merge-files.ts';
import { mergeLockfiles } from '../../src/merging/merging.ts';
import { edited, rootLockfile } from '../support/lock-edits.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const base = rootLockfile();

type Edits = Parameters<typeof edited>[1];

const merge = (mine: Edits, yours: Edits) =>
  mergeLockfiles({ base, ours: edited(base, mine), theirs: edited(base, yours) });

const keysOf = (merged: ReturnType<typeof mergeLockfiles>) =>
  merged.conflicts.map(({ key }) => key);

describe('mergeLockfiles', () => {
  it('takes the record of the side that asks what the merged lockfile asks', () => {
    const asked = {
      ...edited(base, [['classes', 0]]),
      fetch: edited(base, [['recorded', 1]]).fetch,
    };
    const merged = mergeLockfiles({ base, ours: edited(base, [['epochs', 1]]), theirs: asked });
    expect(merged).toMatchObject({ conflicts: [], isRecordDropped: false });
    expect(merged.ours.fetch).toEqual(asked.fetch);
    expect(merged.ours.parameters).toMatchObject({
      query: { classes: ['Apple', 'Orange', 'Pear'] },
      model: { fit: { epochs: 21 } },
    });
  });

  it('drops the record where the sides ask for different photos', () => {
    const recorded = edited(base, [['recorded', 1]]).fetch;
    const ours = { ...edited(base, [['classes', 0]]), fetch: recorded };
    const theirs = { ...edited(base, [['seed', 3]]), fetch: recorded };
    const merged = mergeLockfiles({ base, ours, theirs });
    expect(merged).toMatchObject({ conflicts: [], isRecordDropped: true });
    expect(merged.ours.fetch).toBeUndefined();
  });

  it('takes a record that one side dropped to ask anew for dropped', () => {
    const { fetch: _, ...dropped } = base;
    const ours: Lockfile = dropped;
    const merged = mergeLockfiles({ base, ours, theirs: edited(base, [['quality', 1]]) });
    expect(merged).toMatchObject({ conflicts: [], isRecordDropped: false });
    expect(merged.ours.fetch).toBeUndefined();
    const renewed = edited(base, [['recorded', 1]]);
    expect(keysOf(mergeLockfiles({ base, ours, theirs: renewed }))).toEqual(['fetch']);
  });

  it('leaves it to a person which answers count where both sides asked anew', () => {
    const merged = merge([['recorded', 1]], [['recorded', 2]]);
    expect(keysOf(merged)).toEqual(['fetch']);
    expect([merged.ours.fetch, merged.theirs.fetch]).toEqual([
      edited(base, [['recorded', 1]]).fetch,
      edited(base, [['recorded', 2]]).fetch,
    ]);
  });

  it.each([
    [[['where', 0]], [['where', 1]], ['query.where']],
    [[['epochs', 1]], [['epochs', 2]], ['model.fit.epochs']],
    [[['noAugmentation', 0]], [['noAugmentation', 0]], []],
    [[['firstLayer', 1]], [['lastLayer', 1]], []],
    [[['lastLayer', 1]], [['lastLayer', 2]], ['model.layers']],
    [[['boxes', 1]], [['renewedBoxes', 1]], ['sources.boxes']],
    [[['branch', 1]], [['movedCode', 1]], ['code']],
    [[['movedCode', 1]], [['node', 1]], []],
    [[['sharp', 1]], [['crop', 1]], []],
    [[['sharp', 1]], [['sharp', 2]], ['toolchain.sharp']],
    [[['otherBase', 2]], [['otherBase', 0]], ['model.base.package', 'bases.model']],
  ] as const)('is in conflict where one thing changed in two ways (%#)', (mine, yours, keys) => {
    expect(keysOf(merge(mine, yours))).toEqual(keys);
  });

  it('never pins a commit for a branch that it was not resolved from', () => {
    const asksOther = edited(base, [['branch', 1]]);
    const { code: _, ...parameters } = base.parameters;
    const merged = mergeLockfiles({
      base,
      ours: asksOther,
      theirs: edited(base, [['movedCode', 1]]),
    });
    expect(merged.ours.code).toEqual(asksOther.code);
    expect(merged.theirs.parameters).toEqual({ ...parameters, code: base.parameters['code'] });
  });

  it('keeps a data set that is taken as it is apart from one that is made', () => {
    const { sources: _, fetch: __, ...rest } = base;
    const {
      source: ___,
      query: ____,
      fetch: _____,
      crop: ______,
      split: _______,
      ...kept
    } = base.parameters;
    const ours: Lockfile = {
      ...rest,
      parameters: { ...kept, package: 'user/data' },
      bases: [{ use: 'data', name: 'user/data', topHash: '5'.repeat(64) }, ...(base.bases ?? [])],
    };
    expect(keysOf(mergeLockfiles({ base, ours, theirs: edited(base, [['epochs', 1]]) }))).toEqual(
      [],
    );
    const merged = mergeLockfiles({ base, ours, theirs: edited(base, [['classes', 0]]) });
    expect(keysOf(merged)).toEqual(['data']);
    expect(merged.ours).toMatchObject({ parameters: { package: 'user/data' } });
    expect(merged.theirs.parameters).not.toHaveProperty('package');
    expect(merged.theirs.sources).toEqual(base.sources);
  });

  it('merges what both sides added where they agree, and else leaves it open', () => {
    const [ours, theirs] = [
      edited(base, [['epochs', 1]]),
      edited(base, [
        ['epochs', 2],
        ['quality', 1],
      ]),
    ];
    expect(keysOf(mergeLockfiles({ base: undefined, ours, theirs }))).toEqual([
      'crop.quality',
      'model.fit.epochs',
    ]);
  });

  it('is not led astray by names that every object has', () => {
    const named = (value: string): Lockfile => ({
      ...base,
      parameters: { ...base.parameters, constructor: value, toString: { valueOf: value } },
    });
    expect(mergeLockfiles({ base, ours: named('a'), theirs: base }).ours).toEqual(named('a'));
    expect(keysOf(mergeLockfiles({ base, ours: named('a'), theirs: named('b') }))).toEqual([
      ...['constructor', 'toString.valueOf'],
    ]);
  });
});

describe('mergeLockfileFiles', () => {
  async function setUp(texts: {
    readonly base: string;
    readonly ours: string;
    readonly theirs: string;
  }) {
    const folder = await temporaryFolder();
    const paths = { base: join(folder, 'O'), ours: join(folder, 'A'), theirs: join(folder, 'B') };
    for (const side of ['base', 'ours', 'theirs'] as const)
      await writeFile(paths[side], texts[side]);
    const runtime = testRuntime();
    const run = () => mergeLockfileFiles(runtime, { ...paths, name: 'm/x.lock.json' });
    return { run, runtime, written: () => readFile(paths.ours, 'utf8') };
  }
  const textOf = (edits: Edits) => formatLockfile(edited(base, edits));

  it('writes the merged lockfile over ours', async () => {
    const { run, written } = await setUp({
      base: textOf([]),
      ours: textOf([['epochs', 1]]),
      theirs: textOf([['quality', 1]]),
    });
    expect(await run()).toEqual({ name: 'm/x.lock.json', isRecordDropped: false });
    const both = edited(base, [
      ['epochs', 1],
      ['quality', 1],
    ]);
    expect(await written()).toBe(
      formatLockfile({ ...both, manifest: edited(base, [['epochs', 1]]).manifest }),
    );
  });

  it('leaves markers and says which keys are in conflict, by exit 16', async () => {
    const { run, written } = await setUp({
      base: textOf([]),
      ours: textOf([['epochs', 1]]),
      theirs: textOf([['epochs', 2]]),
    });
    await expect(run()).rejects.toMatchObject({
      code: 'conflict',
      exitCode: 16,
      message:
        'm/x.lock.json: both sides changed it: model.fit.epochs is 21 on our side, 22 on theirs',
      hint: expect.stringContaining('pkg lock <manifest> --update') as string,
    });
    const text = await written();
    expect(text).toContain(
      '<<<<<<< ours (pkg git-merge)\n        "epochs": 21,\n=======\n        "epochs": 22,\n>>>>>>>',
    );
    expect(readingOf(text, 'ours')).toBe(textOf([['epochs', 1]]));
  });

  it('warns of a record that is dropped', async () => {
    const record = edited(base, [['recorded', 0]]).fetch;
    const withRecord = (edits: Edits) => {
      const lockfile = edited(base, edits);
      return formatLockfile(record === undefined ? lockfile : { ...lockfile, fetch: record });
    };
    const { run, runtime } = await setUp({
      base: textOf([]),
      ours: withRecord([['classes', 0]]),
      theirs: withRecord([['seed', 1]]),
    });
    expect((await run()).isRecordDropped).toBe(true);
    expect(runtime.events).toMatchObject([
      {
        kind: 'warned',
        message: expect.stringContaining('the next build asks the network') as string,
      },
    ]);
  });

  it('takes an empty base for none, and says so of a broken one', async () => {
    const sides = { ours: textOf([['epochs', 1]]), theirs: textOf([['epochs', 1]]) };
    const empty = await setUp({ base: '', ...sides });
    await empty.run();
    expect(empty.runtime.events).toEqual([]);
    const broken = await setUp({ base: '<<<<<<< HEAD\n', ...sides });
    await broken.run();
    expect(broken.runtime.events).toMatchObject([
      {
        kind: 'warned',
        message: expect.stringContaining('the former m/x.lock.json:1: git left') as string,
      },
    ]);
  });

  it('touches nothing where a side is no lockfile', async () => {
    const ours = textOf([['epochs', 1]]);
    const { run, written } = await setUp({
      base: textOf([]),
      ours,
      theirs: '{"dependencies": {}}',
    });
    await expect(run()).rejects.toMatchObject({
      code: 'lockfile',
      message: 'their m/x.lock.json has no lockfileVersion, expected 1',
    });
    expect(await written()).toBe(ours);
  });
});
