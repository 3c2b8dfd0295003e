/** Texts that mean the same whatever standard_conforming_strings is. */
import { scan } from './parser.js';

/**
 * Whether a text has no backslash in a plain string, where alone the setting makes a difference (scan.l, the state xqs): the
 * scanner, which takes it for on, then finds the same tokens as a server where it is off. E'…', $$…$$, names and comments
 * read the same; U&'…' no server takes where it is off.
 */
export function readsTheSame(sql: string): boolean {
  if (!sql.includes('\\')) return true;
  const tokens = scan(sql);
  return tokens !== undefined && !tokens.some(({ text }) => /^(?:u&)?'/i.test(text) && text.includes('\\'));
}
