/** What one statement is, and what it may do to those after it, as far as its tokens tell without parsing it. */
import type { Lexer } from './lexer.js';
import { SetConfigCalls } from './set-config-calls.js';
import { GROUPS, type SessionEffect, strongest, type Word } from './vocabulary.js';

/** `control`: it begins or ends a transaction or a savepoint. `change`: it changes rows. */
export type Beginning = 'control' | 'change' | 'other';

const CONTROL: ReadonlySet<string> = new Set(
  'abort begin commit end release rollback savepoint start'.split(' '),
);
const CHANGES: ReadonlySet<string> = new Set('insert update delete merge'.split(' '));
/** What a SELECT … INTO can begin with, which makes a table. */
const SELECTS: ReadonlySet<string> = new Set(['select', 'with', 'explain', '(']);

const LONGEST_HEAD = 4;
const TEMPORARY_TABLE = /^create (?:(?:global|local) )?(?:temp|temporary) table /;

export class StatementLook {
  #tokens = 0;
  /** What a statement may do that begins as it does; undefined where nobody knows. */
  #beginning: SessionEffect | undefined;
  /** Its first and second token, and the last two: words of the vocabulary and signs, '' for all others. */
  #first = '';
  #second = '';
  #last = '';
  #beforeLast = '';
  /** The groups of which it has a word. */
  #groups = 0;
  #hasInto = false;
  #hasPartition = false;
  /** The first tokens of a CREATE. */
  #head = '';
  #makesTable = false;
  /** SELECT stands outside of all parentheses. */
  #selects = false;
  readonly #calls = new SetConfigCalls();
  #executes = false;
  #updates = false;
  #readsSettings = false;
  /** SET: the name of what is set is complete. */
  #isNamed = false;
  /** What it sets or resets decides something, or may. */
  #isDecisive = false;
  /** How many BEGIN ATOMIC and CASE are open: there a semicolon ends no statement (psqlscan.l). */
  #blocks = 0;

  get isEmpty(): boolean {
    return this.#tokens === 0;
  }

  /** Whether it is in the body of a function that is written in SQL. */
  get isInBody(): boolean {
    return this.#blocks > 0;
  }

  get begins(): Beginning {
    if (CONTROL.has(this.#first) || this.#isPrepareTransaction) return 'control';
    return CHANGES.has(this.#first) ? 'change' : 'other';
  }

  /**
   * Takes the next token.
   * @param word what it is of the vocabulary, in quotes or not
   */
  add(text: Buffer, lexer: Lexer, word: Word | undefined): void {
    this.#tokens++;
    // What stands in a name by numbers of characters may be any name.
    const isHidden = lexer.hasEscapes && lexer.kind === 'name';
    const tells = word !== undefined || isHidden || SIGNS[lexer.byte] !== '';
    if (tells || this.#tokens <= LONGEST_HEAD || this.#calls.isReading) {
      this.#take(text, lexer, word, isHidden);
      return;
    }
    this.#beforeLast = this.#last;
    this.#last = '';
  }

  #take(text: Buffer, lexer: Lexer, word: Word | undefined, isHidden: boolean): void {
    const { kind, byte } = lexer;
    const token = kind === 'word' ? (word?.text ?? '') : kind === 'sign' ? (SIGNS[byte] ?? '') : '';
    if (this.#tokens < 3) this.#begin(token, kind === 'word' ? word : undefined);
    if (this.#first === 'create' && this.#tokens <= LONGEST_HEAD) this.#head += `${token} `;
    if (this.#calls.isReading || isHidden || word !== undefined) {
      this.#calls.add(text, lexer, word);
      if (!this.#isNamed) this.#isDecisive ||= isHidden || has(word, GROUPS.decisive);
      this.#readsSettings ||= isHidden || word?.text === 'pg_settings';
    }
    if (token !== '') this.#note(token, word, lexer.depth);
    this.#beforeLast = this.#last;
    this.#last = token;
  }

  #begin(token: string, word: Word | undefined): void {
    if (this.#tokens === 2) {
      this.#second = token;
      return;
    }
    this.#first = token;
    this.#beginning = token === '(' ? 'none' : word?.effect;
  }

  #note(token: string, word: Word | undefined, depth: number): void {
    this.#groups |= word?.groups ?? 0;
    switch (token) {
      case 'select':
        this.#selects ||= depth === 0;
        break;
      case 'into':
        this.#hasInto = true;
        this.#makesTable ||= !this.#isCommand(depth);
        break;
      case 'partition':
        this.#hasPartition = true;
        break;
      case 'update':
        this.#updates = true;
        break;
      case 'execute':
        this.#executes = true;
        break;
      case '=':
      case 'to':
        this.#isNamed ||= this.#first === 'set' && this.#tokens > 2;
        break;
      case 'atomic':
        if (this.#first === 'create' && this.#last === 'begin' && this.#blocks === 0) this.#blocks = 1;
        break;
      case 'case':
        if (this.#blocks > 0) this.#blocks++;
        break;
      case 'end':
        if (this.#blocks > 0) this.#blocks--;
        break;
    }
  }

  /** Whether an INTO is that of INSERT or MERGE, which can be names of columns in a SELECT too. */
  #isCommand(depth: number): boolean {
    if (this.#last !== 'insert' && this.#last !== 'merge') return false;
    return this.#beforeLast === '(' || (depth === 0 && !this.#selects);
  }

  /** @param flat no quote was taken for one, so that nothing but words is certain */
  effect(flat: boolean): SessionEffect {
    const selectsInto = SELECTS.has(this.#first) && (flat ? this.#hasInto : this.#makesTable);
    const isExplain = this.#first === 'explain';
    if (selectsInto || (isExplain && (this.#groups & GROUPS.makes) !== 0)) return 'schema';
    // An UPDATE of pg_settings calls set_config (system_views.sql, pg_settings_u).
    const sets = this.#calls.mayDecide || (this.#updates && this.#readsSettings);
    const makesTemporary = !flat && this.#makesPlainTemporaryTable;
    const own = makesTemporary ? 'temporary' : this.#ownEffect;
    return strongest(own, sets || ((isExplain || makesTemporary) && this.#executes) ? 'settings' : 'none');
  }

  get #ownEffect(): SessionEffect {
    if (this.#isPrepareTransaction) return 'transactionEnd';
    if (this.#first === 'set' && (this.#groups & GROUPS.enforcing) !== 0) return 'schema';
    // COMMIT PREPARED makes DDL of another session come into effect.
    if (this.#beginning === 'transactionEnd' && this.#second === 'prepared') return 'schema';
    if (this.#first === 'set' && this.#isNamed && !this.#isDecisive) return 'none';
    if (this.#first === 'reset' && !this.#isDecisive) return 'none';
    return this.#beginning ?? 'schema';
  }

  /** One without keys that inherits nothing: it may hide another table from its session, and brings nothing to any graph. */
  get #makesPlainTemporaryTable(): boolean {
    if (this.#head === '') return false;
    return TEMPORARY_TABLE.test(this.#head) && !this.#hasPartition && (this.#groups & GROUPS.keys) === 0;
  }

  get #isPrepareTransaction(): boolean {
    return this.#first === 'prepare' && this.#second === 'transaction';
  }
}

/** The signs that are of interest, by their bytes; '' for all others. */
const SIGNS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  '(=)'.includes(String.fromCharCode(byte)) ? String.fromCharCode(byte) : '',
);

function has(word: Word | undefined, group: number): boolean {
  return word !== undefined && (word.groups & group) !== 0;
}
