/** "Did you mean": near words, in order of nearness, and silence where none is near. */
import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from '../../src/runtime/suggest.ts';

describe('suggest', () => {
  it('finds a word in spite of a slip of the fingers, whatever its case', () => {
    expect(suggest('Hamburgr', ['Sandwich', 'Hamburger', 'Burrito'])).toEqual(['Hamburger']);
    expect(suggest('hamburger', ['Hamburger'])).toEqual(['Hamburger']);
    expect(suggest('isgruopof', ['IsGroupOf', 'IsDepiction'])).toEqual(['IsGroupOf']);
  });

  it('names the nearest first, equals in alphabetical order, and at most three', () => {
    expect(suggest('bear', ['beard', 'bears', 'pear', 'bear2', 'Bear'])).toEqual([
      'Bear',
      'bear2',
      'beard',
    ]);
  });

  it('suggests nothing that differs in more than a third of the letters', () => {
    expect(suggest('Apple', ['Orange', 'Pineapple'])).toEqual([]);
    expect(suggest('x', ['abc'])).toEqual([]);
    expect(suggest('anything', [])).toEqual([]);
  });
});

describe('didYouMean', () => {
  it('asks in words, or says nothing', () => {
    expect(didYouMean('Orang', ['Orange'])).toBe('did you mean "Orange"?');
    expect(didYouMean('cat', ['bat', 'hat'])).toBe('did you mean "bat" or "hat"?');
    expect(didYouMean('Apple', ['Zebra'])).toBeUndefined();
  });
});
