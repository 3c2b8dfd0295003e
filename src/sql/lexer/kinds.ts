/** What there is in a text, and how it is read. */

/**
 * How string literals are read: `standard` and `escaped` are standard_conforming_strings on and off; `flat` takes no quote
 * for one, so that whatever is a token in any way of reading a text is one then.
 */
export type Reading = 'standard' | 'escaped' | 'flat';

/**
 * `word`: a keyword, or a name without quotes. `name`: one in double quotes. `sign`: one byte of anything else. A literal
 * that goes on after a newline (`'a'\n'b'`) is two. `unfinished`: the text ends in the middle of a token or comment.
 */
export type TokenKind =
  | 'word'
  | 'name'
  | 'literal'
  | 'number'
  | 'parameter'
  | 'separator'
  | 'sign'
  | 'end'
  | 'unfinished';

/** What stands before the quote of a literal says how it is read; `dollar` is `$tag$…$tag$`. */
export type LiteralKind = 'plain' | 'escape' | 'unicode' | 'bits' | 'dollar';

/** Before a quote, in either case: how the literal is read. N'…' is a plain one after a word. */
export const PREFIXES: ReadonlyMap<number, LiteralKind> = new Map([
  [0x65, 'escape'],
  [0x62, 'bits'],
  [0x78, 'bits'],
]);
