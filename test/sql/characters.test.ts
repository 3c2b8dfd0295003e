/** Positions in a text, counted as PostgreSQL does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterCharacters, charactersIn } from '../../src/sql/encoding/characters.js';
import { rawCharacter } from '../../src/sql/encoding/raw-bytes.js';

const raw = [[0xe9], [0x83, 0x5c], [0x8f, 0xb0, 0xa1]].map(rawCharacter);
const texts = fc.array(fc.constantFrom('a', "'", 'é', '語', '𝄞', '👍', ...raw));

test('a character is a code point, or the bytes of one that is not decoded, wherever one counts from', () => {
  fc.assert(
    fc.property(texts, texts, texts, (before, between, behind) => {
      const [start, size] = [before.join('').length, between.join('').length];
      const text = [...before, ...between, ...behind].join('');
      expect(charactersIn(text, start, start + size)).toBe(between.length);
      expect(afterCharacters(text, before.length)).toBe(start);
    }),
  );
});

test('a place after the end is the end', () => {
  expect(afterCharacters('a𝄞', 7)).toBe(3);
});
