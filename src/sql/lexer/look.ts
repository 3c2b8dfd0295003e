/**
 * The cheap look at every statement: most cannot delete and must cost next to nothing. One pass over a text answers every
 * question that is asked of it before, or without, parsing it. An answer may be too much, never too little: `false` and the
 * effect `none` are certain, all others only possible. Of isPlain `true` is certain.
 */
import { isAscii } from 'node:buffer';
import { Lexer, type Reading } from './lexer.js';
import { type Beginning, StatementLook } from './statement-look.js';
import { findWord, GROUPS, type SessionEffect, strongest } from './vocabulary.js';

export type { Beginning } from './statement-look.js';
export { type SessionEffect, strongest } from './vocabulary.js';

/** What decides how the server reads a text. */
export interface TextSettings {
  /** Whether standard_conforming_strings is on. */
  readonly strings: 'on' | 'off' | 'unknown';
  /** In the client's encoding a byte below 128 may be half of a character. */
  readonly hasHalves: boolean;
}

/** What one pass over a text told. */
export interface Look {
  /** As it came: a copy has to be made of what is kept. */
  readonly text: Buffer;
  /** The groups (vocabulary.ts) of which a word stands outside of literals, comments and quoted names. */
  readonly groups: number;
  /** How many statements it has; empty ones are none. */
  readonly statements: number;
  /** What the first one is. */
  readonly begins: Beginning;
  /** What it may do to the statements after it, at most. */
  readonly effect: SessionEffect;
  /** Where it makes a temporary table: the words in it, the table's name among them; undefined where that may be any. */
  readonly words: ReadonlySet<string> | undefined;
  /**
   * It has a backslash in a plain string: nowhere else standard_conforming_strings makes a difference (scan.l, the state
   * xqs). U&'…' no server takes where it is off.
   */
  readonly hasBackslashes: boolean;
  /** The server may cut it into other tokens than PostgreSQL would (own-tokens.ts): only its groups hold there. */
  readonly isReadOtherwise: boolean;
}

/**
 * @param text a client's, without what terminates it
 * @returns more than is true of it where it can be read in two ways, or ends in the middle of something
 */
export function lookAt(text: Buffer, { strings, hasHalves }: TextSettings): Look {
  const look = pass(text, strings === 'off' ? 'escaped' : 'standard');
  const isClear =
    look.isWhole && !(strings === 'unknown' && look.hasBackslashes) && !(hasHalves && !isAscii(text));
  if (!isClear) return { ...pass(text, 'flat'), hasBackslashes: look.hasBackslashes, words: undefined };
  return look.effect === 'temporary' ? { ...look, words: wordsIn(text) } : look;
}

function pass(text: Buffer, reading: Reading): Look & { readonly isWhole: boolean } {
  const lexer = new Lexer(text, reading);
  let [groups, statements, hasBackslashes] = [0, 0, false];
  let begins: Beginning = 'other';
  let effect: SessionEffect = 'none';
  let statement = new StatementLook();
  for (;;) {
    const kind = lexer.next();
    if (kind === 'word' || kind === 'name') {
      const word = findWord(text, lexer);
      if (kind === 'word' && word) groups |= word.groups;
      statement.add(text, lexer, word);
      continue;
    }
    const ends = kind === 'end' || kind === 'unfinished' || (kind === 'separator' && !statement.isInBody);
    if (!ends) {
      if (kind === 'literal')
        hasBackslashes ||= lexer.hasEscapes && (lexer.literal === 'plain' || lexer.literal === 'unicode');
      statement.add(text, lexer, undefined);
      continue;
    }
    if (!statement.isEmpty) {
      statements++;
      if (statements === 1) begins = statement.begins;
      effect = strongest(effect, statement.effect(reading === 'flat'));
      statement = new StatementLook();
    }
    if (kind === 'separator') continue;
    // Where no quote is taken for one, nothing tells which word is a statement's first.
    if (reading === 'flat' && statements > 1) effect = 'schema';
    if (effect === 'temporary' && statements > 1) effect = 'settings';
    const isWhole = kind === 'end';
    if (!isWhole) hasBackslashes ||= text.includes('\\');
    const isReadOtherwise = false;
    return {
      text,
      groups,
      statements,
      begins,
      effect,
      words: undefined,
      hasBackslashes,
      isReadOtherwise,
      isWhole,
    };
  }
}

/**
 * Whether a text may delete rows, or concerns prepared statements that do: false is certain, true wants the parser.
 * @param code whether DO and CALL are of interest too
 */
export function isNoteworthy({ groups }: Look, code: boolean): boolean {
  return (groups & (code ? GROUPS.deleting | GROUPS.code : GROUPS.deleting)) !== 0;
}

/** Whether a text may insert or change rows: false is certain. */
export function mayWrite({ groups }: Look): boolean {
  return (groups & GROUPS.writing) !== 0;
}

/** Whether a text may name a prepared statement that may delete: false is certain. */
export function namesPrepared({ groups }: Look): boolean {
  return (groups & GROUPS.prepared) !== 0;
}

/**
 * Whether a text may take data from the client while it is executed: false is certain.
 *
 * Every statement that makes the server ask for data has these two words in it: COPY … FROM STDIN, where STDOUT means the
 * same (copy_file_name in gram.y), or the one of replication. SQL cannot prepare it, and no function execute it.
 */
export function mayTakeData({ groups }: Look): boolean {
  const copies = GROUPS.copy | GROUPS.client;
  return (groups & copies) === copies || (groups & GROUPS.manifest) !== 0;
}

/** Whether a text may bring keys where the database has none for the proxy: false is certain. */
export function makesKeys({ groups }: Look): boolean {
  return (groups & (GROUPS.keys | GROUPS.code)) !== 0;
}

/**
 * Whether a text may bring a key that the server does not enforce, or a trigger: false is certain, where no event trigger answers
 * to DDL. Foreign keys and triggers come by name, or from a table that has them (LIKE copies neither).
 */
export function bringsWork({ groups }: Look): boolean {
  return (groups & (GROUPS.work | GROUPS.code)) !== 0;
}

/** Whether a text does nothing but say whether H2 enforces keys: true is certain. */
export function switchesKeys({ groups, statements }: Look): boolean {
  return groups === GROUPS.enforcing && statements === 1;
}

/**
 * Whether all that a text may delete is deleted from the tables that are there: it makes none and brings no keys, runs no code,
 * and concerns no prepared statement. True is certain.
 */
export function isPlain({ groups, effect }: Look): boolean {
  return effect !== 'schema' && (groups & (GROUPS.keys | GROUPS.code | GROUPS.prepared)) === 0;
}

/** The same with a copy of the text, for whoever needs it when the message is gone. */
export function withTextCopied(look: Look): Look {
  return { ...look, text: Buffer.from(look.text) };
}

/** What it told, for whoever does not need the text any more. */
export function withoutText(look: Look): Look {
  return { ...look, text: NOTHING };
}

const NOTHING = Buffer.alloc(0);

/** In bytes: of a longer text no words are kept. */
const LONGEST_WITH_WORDS = 8 * 1024;
/** It is in every U&"…", which may spell any name. */
const AND = '&';

/** The words of a text in lower case, those in names, literals and comments too. */
function wordsIn(text: Buffer): ReadonlySet<string> | undefined {
  if (text.length > LONGEST_WITH_WORDS || text.includes(AND)) return undefined;
  const lexer = new Lexer(text, 'flat');
  const words = new Set<string>();
  for (let kind = lexer.next(); kind !== 'end'; kind = lexer.next()) {
    if (kind === 'unfinished') return undefined;
    if (kind === 'word') words.add(text.toString('latin1', lexer.start, lexer.end).toLowerCase());
  }
  return words;
}
