/** The calls of set_config in a statement: whether any may set what decides the meaning of names, or what the proxy does. */
import type { Lexer } from './lexer.js';
import { findAt, GROUPS, type Word } from './vocabulary.js';

const [OPEN, COMMA, DOT, QUOTE] = [0x28, 0x2c, 0x2e, 0x27];

export class SetConfigCalls {
  /** How far a call was read: its name, the parenthesis, and a literal that names a setting which decides nothing. */
  #read: 'nothing' | 'name' | 'parenthesis' | 'setting' = 'nothing';
  #decides = false;

  /** Whether what is set may decide: `set_config('application_name', …` alone is certain not to. */
  get mayDecide(): boolean {
    return this.#decides || this.#read !== 'nothing';
  }

  get isReading(): boolean {
    return this.#read !== 'nothing';
  }

  /** Takes the statement's next token: not to be left out while it `isReading`. @param word what it is of the vocabulary, in quotes or not */
  add(text: Buffer, lexer: Lexer, word: Word | undefined): void {
    const { kind, byte } = lexer;
    const isName = word?.text === 'set_config' || (kind === 'name' && lexer.hasEscapes);
    if (this.#read === 'nothing' && !isName) return;
    if (isName) {
      this.#decides ||= this.#read !== 'nothing';
      this.#read = 'name';
    } else if (this.#read === 'name' && kind === 'sign' && byte === OPEN) {
      this.#read = 'parenthesis';
    } else if (this.#read === 'parenthesis' && kind === 'literal' && isHarmless(text, lexer)) {
      this.#read = 'setting';
    } else {
      // Anything but a comma after the literal makes it a part of an expression.
      this.#decides ||= !(this.#read === 'setting' && kind === 'sign' && byte === COMMA);
      this.#read = 'nothing';
    }
  }
}

/** Whether a literal spells the name of a setting that decides nothing. */
function isHarmless(text: Buffer, { literal, hasEscapes, start, end }: Lexer): boolean {
  if (literal !== 'plain' || hasEscapes) return false;
  let prefixEnd = end - 1;
  for (let at = end - 2; at > start; at--) {
    if (text[at] === QUOTE) return false;
    if (text[at] === DOT) prefixEnd = at;
  }
  const word = findAt(text, start + 1, prefixEnd);
  return word === undefined || (word.groups & GROUPS.decisive) === 0;
}
