/** The lockfile's text: one value a line, checked in full, without hints where a package holds it. */
import { describe, expect, it } from 'vitest';
import { formatLockfile, parseLockfile, withoutHints } from '../../src/lockfile/lockfile.ts';
import { someLockfile, tablesOf } from '../support/lockfiles.ts';
import { refusal } from '../support/manifests.ts';

const refuse = (text: string) => refusal(() => parseLockfile(text, 'x.lock.json'));

/** The lockfile's text with something changed in it. */
function changed(from: string, to: string): string {
  const text = formatLockfile(someLockfile());
  if (!text.includes(from)) throw new Error(`no ${from} in the lockfile`);
  return text.replace(from, to);
}

describe('a lockfile', () => {
  it('is written with one value a line and ends with a line end', () => {
    const text = formatLockfile(someLockfile());
    expect(text.endsWith('}\n')).toBe(true);
    for (const line of text.split('\n')) {
      expect(line).toMatch(/^ *(?:"[^"]*": )?(?:[[\]{}]|"(?:\\.|[^"\\])*"|\d+|true|false|)?,?$/);
    }
    expect(text.split('\n').filter((line) => line.includes('"sharp"'))).toHaveLength(1);
  });

  it.each([
    ['', 'x.lock.json is not JSON'],
    ['{', 'x.lock.json is not JSON'],
    ['<<<<<<< HEAD\n{}', 'x.lock.json is not JSON'],
    ['null', 'x.lock.json has no lockfileVersion, expected 1'],
    ['[]', 'x.lock.json has no lockfileVersion, expected 1'],
    ['{}', 'x.lock.json has no lockfileVersion, expected 1'],
    [changed('"lockfileVersion": 1', '"lockfileVersion": 2'), 'has version 2, expected 1'],
    [changed('"lockfileVersion": 1', '"lockfileVersion": "1"'), 'has version "1", expected 1'],
    [changed('"name": "user/name"', '"name": 5'), 'x.lock.json: name: '],
    [changed('"manifest": "', '"manifest": "x'), 'x.lock.json: manifest: expected a SHA-256'],
    [changed('"digest": "', '"digest": "A'), 'x.lock.json: sources.classes.digest: expected a SHA'],
    [changed('"sizeBytes": 24', '"sizeBytes": -1'), 'x.lock.json: sources.classes.sizeBytes: '],
    [changed('"sizeBytes": 24', '"sizeBytes": 1.5'), 'x.lock.json: sources.classes.sizeBytes: '],
    [changed('"etag": "\\"b1\\""', '"etag": null'), 'x.lock.json: sources.boxes.0.etag: '],
    [changed('"sharp": "0.35.5"', '"sharp": 35'), 'x.lock.json: toolchain.sharp: '],
    [changed('"image1": "missing"', '"image1": 404'), 'fetch.exceptions.image1: '],
    [changed('"name":', '"extra": 1,\n  "name":'), 'extra'],
    [changed('"url": "https', '"extra": 1,\n      "url": "https'), 'sources.classes'],
    [changed('"record":', '"extra": 1,\n    "record":'), 'fetch'],
  ])('is refused where it is none (%#)', (text, message) => {
    const error = refuse(text);
    expect([error.code, error.exitCode]).toEqual(['lockfile', 11]);
    expect(error.message).toContain(message);
    expect(error.hint).toContain('pkg lock --update');
  });

  it('is not written where it would not be read', () => {
    const lockfile = someLockfile();
    expect(() =>
      formatLockfile({ ...lockfile, sources: { ...tablesOf(lockfile), boxes: [] } }),
    ).toThrow();
  });
});

describe('withoutHints', () => {
  it('drops every ETag and nothing else', () => {
    const lockfile = someLockfile();
    const bare = withoutHints(lockfile);
    expect(formatLockfile(bare)).not.toContain('etag');
    const lines = formatLockfile(lockfile).split('\n');
    const kept = lines.filter((line) => !line.includes('"etag"'));
    // A line before a dropped one loses its comma; digests and sizes are all still there.
    expect(formatLockfile(bare).replaceAll(',', '')).toBe(kept.join('\n').replaceAll(',', ''));
    expect(withoutHints(bare)).toEqual(bare);
  });

  it('works without a hierarchy, too', () => {
    const { hierarchy: _, ...sources } = tablesOf(someLockfile());
    const bare = withoutHints({ ...someLockfile(), sources });
    expect('hierarchy' in tablesOf(bare)).toBe(false);
  });
});
