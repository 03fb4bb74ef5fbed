/** The data card: what it says, that it is the same everywhere, and that it renders no strangers. */
import { describe, expect, it } from 'vitest';
import { dataCard } from '../../src/summaries/data-card.ts';
import { cropsRow, imagesRow, skipped, summaryOf, tombstone } from '../support/summaries.ts';

/** A Markdown table's body below a heading, as cells. */
function tableBelow(card: string, heading: string): readonly (readonly string[])[] {
  const section = card.slice(card.indexOf(heading) + heading.length);
  const rows = section.split('\n').slice(1);
  const start = rows.findIndex((line) => line.startsWith('|'));
  const end = rows.findIndex((line, index) => index > start && !line.startsWith('|'));
  return rows.slice(start + 2, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

describe('the data card', () => {
  const images = [
    imagesRow('a'),
    imagesRow('b', { Status: 'changed', Detail: 'another photo than OriginalMD5 promises' }),
    tombstone('c', 'missing', 'HTTP 404'),
  ];
  const crops = [
    cropsRow('a'),
    cropsRow('b', { Split: 'validation' }),
    cropsRow('b', { Class: 'Orange', LabelName: '/m/orange' }),
    skipped('c', 'missing'),
    skipped('a', 'too-small'),
  ];
  const card = dataCard(summaryOf(images, crops));

  it('begins with name and description', () => {
    expect(card).toMatch(/^# user\/fruit\n\nSome fruit\.\n\n/);
    expect(card).toContain('3 crops of Apple and Orange, cut by bounding box out of 2 photos.');
    expect(card).toContain('The query selected 7 boxes on 5 images');
  });

  it('has a row for each class, with the splits that occur', () => {
    expect(tableBelow(card, '## Classes')).toEqual([
      ['Apple', 'Apple (`/m/apple`), Pear (`/m/pear`)', '4', '2', '2', '1', '1'],
      ['Orange', 'Orange (`/m/orange`)', '1', '1', '1', '1', '0'],
    ]);
    expect(card).toContain('| class | labels | boxes | photos | crops | train | validation |');
  });

  it('has a row for each status and each reason, and a word for all of them', () => {
    expect(tableBelow(card, '## Photos')).toEqual([
      ['`ok`', '1', 'the photo its metadata promises'],
      ['`changed`', '1', 'a photo, but not the one of the metadata any more'],
      ['`missing`', '1', 'the address has no photo'],
    ]);
    const reasons = tableBelow(card, '## Boxes');
    expect(reasons.map(([reason, n]) => [reason, n])).toEqual([
      ['`missing`', '1'],
      ['`too-small`', '1'],
    ]);
    expect(reasons.every(([, , words = '']) => words.length > 10)).toBe(true);
  });

  it('names the photos that are not as promised, fifty at most', () => {
    expect(card).toContain('| `b` | `changed` | another photo than OriginalMD5 promises |');
    expect(card).toContain('| `c` | `missing` | HTTP 404 |');
    const many = Array.from({ length: 70 }, (_, index) => tombstone(`x${String(index)}`, 'gone'));
    const long = dataCard(summaryOf(many, []));
    expect(long.match(/^\| `x\d+` \|/gm)).toHaveLength(50);
    expect(long).toContain('and 20 more in `metadata/images.csv`.');
  });

  it('states no date, no path, and is the same every time', () => {
    expect(card).not.toMatch(/\b(?:19|20)\d\d-\d\d|\b20[12]\d\b(?!\/)|\d\d:\d\d/);
    expect(card).not.toMatch(/\/(?:home|tmp|root|work|Users)\//);
    expect(dataCard(summaryOf(images, crops))).toBe(card);
  });

  it('counts one of a kind in the singular', () => {
    const one = dataCard(summaryOf([imagesRow('a')], [cropsRow('a')], {}, []));
    expect(one).toContain('1 crop of ');
    expect(one).toContain('out of 1 photo.');
  });

  it('leaves out what it was not told', () => {
    const bare = { name: 'user/fruit', selection: summaryOf([], []).selection };
    const plain = dataCard({
      ...summaryOf(images, crops),
      ...bare,
      description: undefined,
      license: undefined,
    });
    expect(plain).not.toContain('undefined');
    expect(plain).toContain('The package states no licence of its own.');
  });
});

describe('a hostile text', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[click](javascript:alert(1))',
    '![x](https://evil.example/pixel.png)',
    'a | b | c',
    'two\nlines\n\n# Heading',
    '`code` **bold** _it_',
    '\\| \\<b>',
  ];

  /** A card in which the text stands wherever a table can bring it in. */
  function cardWith(text: string): string {
    const labels = [{ LabelName: text, DisplayName: text, Class: text }];
    const images = [
      imagesRow('a', { License: text, Author: text, Title: text }),
      tombstone('b', 'missing', text),
    ];
    return dataCard(summaryOf(images, [cropsRow('a', { Class: text })], {}, labels));
  }

  it.each(hostile)('makes no HTML, link, picture or heading: %j', (text) => {
    const card = cardWith(text);
    const prose = card.replace(/\\[\\|<>[\]`*_]/g, '').replace(/`[^`\n]*`/g, '');
    expect(prose).not.toMatch(/<\w/);
    expect(prose).not.toMatch(/\]\((?!summaries\/)/);
    expect(card.match(/^#.*$/gm)).toEqual(cardWith('plain').match(/^#.*$/gm));
  });

  it.each(hostile)('adds no row and no column to a table: %j', (text) => {
    const shape = (card: string) =>
      card
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.match(/(?<!\\)\|/g)?.length);
    expect(shape(cardWith(text))).toEqual(shape(cardWith('plain')));
  });
});
