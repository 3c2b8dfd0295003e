/** What a byte can be to PostgreSQL's scanner: space, part of a word, a digit, or the beginning of more than a sign. */

/** The kinds are bits, as a byte can be of several. */
export const SPACE = 1;
export const WORD = 2;
export const DIGIT = 4;
export const IN_TAG = WORD + DIGIT;
/** It is part of a word behind the first letter alone: the dollar. */
const MORE = 8;
export const IN_WORD = WORD + DIGIT + MORE;
/** It may begin a comment, a literal or a quoted name; or the lexer counts it: parentheses, and the semicolon. */
export const SPECIAL = 16;
/** The kinds of each byte, added up. Every byte of a character that is not ASCII is part of a word. */
export const KINDS = new Uint8Array(256).fill(WORD, 128);
const add = (bytes: string, kind: number) => {
  for (const byte of Buffer.from(bytes)) KINDS[byte] = (KINDS[byte] ?? 0) + kind;
};
add(' \t\n\r\f\v', SPACE);
add('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', WORD);
add('0123456789', DIGIT);
add('$', MORE);
add('-/\'"$();', SPECIAL);

/** The first place from `at` on whose byte is of none of these kinds. */
export function endOfRun(text: Buffer, at: number, kinds: number): number {
  const { length } = text;
  let end = at;
  while (end < length && ((KINDS[text[end] ?? 0] ?? 0) & kinds) !== 0) end++;
  return end;
}
