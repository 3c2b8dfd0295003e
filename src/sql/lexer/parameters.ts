/** Whether a text has parameters: `$1` in a literal, a name or a comment is none. */
import { Lexer } from './lexer.js';

/** @param text begins where a token may begin */
export function hasParameters(text: string): boolean {
  const lexer = new Lexer(Buffer.from(text), 'standard');
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next())
    if (kind === 'parameter') return true;
  return false;
}
