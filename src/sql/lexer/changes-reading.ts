/** Whether a text may change how the server reads the texts after it: client_encoding, or standard_conforming_strings. */
import { Lexer } from './lexer.js';
import { WordTable } from './words.js';

/** `changes`: names such a setting, or sets any. `all`: RESET ALL sets all back. `before`, `reset`: stands before the name of one. */
type Role = 'changes' | 'all' | 'reset' | 'before';

const WORDS = new WordTable<Role>([
  ...['client_encoding', 'standard_conforming_strings', 'set_config', 'names', 'discard'].map(
    (word) => [word, 'changes'] as const,
  ),
  ...['set', 'session', 'local'].map((word) => [word, 'before'] as const),
  ['reset', 'reset'],
  ['all', 'all'],
]);

/** @param text read with standard_conforming_strings on. False is certain, but for what functions do that it calls */
export function mayChangeReading(text: Buffer): boolean {
  return hasWords(text) || hasEscapedName(text);
}

/** Code may stand in a literal: every word counts, wherever it stands. */
function hasWords(text: Buffer): boolean {
  const lexer = new Lexer(text, 'flat');
  let all = false;
  let reset = false;
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next()) {
    const role = kind === 'word' ? WORDS.find(text, lexer.start, lexer.end) : undefined;
    if (role === 'changes') return true;
    all ||= role === 'all';
    reset ||= role === 'reset';
  }
  return all && reset;
}

/** The name of a setting is spelled by escapes: SET U&"client\005fencoding". */
function hasEscapedName(text: Buffer): boolean {
  const lexer = new Lexer(text, 'standard');
  let isBefore = false;
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next()) {
    if (isBefore && kind === 'name' && lexer.hasEscapes) return true;
    const role = kind === 'word' ? WORDS.find(text, lexer.start, lexer.end) : undefined;
    isBefore = role === 'before' || role === 'reset';
  }
  return false;
}
