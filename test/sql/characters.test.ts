/** Positions in a text, counted as PostgreSQL does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { behindCharacters, charactersIn } from '../../src/sql/characters.js';

const texts = fc
  .array(fc.constantFrom('a', "'", 'é', '語', '𝄞', '👍'))
  .map((characters) => characters.join(''));

test('characters are code points, wherever one counts from', () => {
  fc.assert(
    fc.property(texts, texts, texts, (before, between, behind) => {
      const text = before + between + behind;
      const end = before.length + between.length;
      expect(charactersIn(text, before.length, end)).toBe([...between].length);
      expect(behindCharacters(text, [...before].length)).toBe(before.length);
    }),
  );
});

test('a place behind the end is the end', () => {
  expect(behindCharacters('a𝄞', 7)).toBe(3);
});
