/** The words by which a text is judged without parsing it. */
import type { Lexer } from './lexer.js';
import { WordTable } from './words.js';

/**
 * What a text may do to the statements after it, at most. `transactionEnd`: it ends a transaction, and with it what was set or
 * changed in it. `temporary`: it makes a temporary table without keys, which may hide another table from this session.
 * `settings`: it changes one that decides what a name means, how a text is read or what the proxy does. `schema`: it may
 * change what names mean, and the keys.
 */
export type SessionEffect = 'none' | 'transactionEnd' | 'temporary' | 'settings' | 'schema';

const STRENGTHS: readonly SessionEffect[] = ['none', 'transactionEnd', 'temporary', 'settings', 'schema'];

export function strongest(one: SessionEffect, other: SessionEffect): SessionEffect {
  return STRENGTHS.indexOf(one) < STRENGTHS.indexOf(other) ? other : one;
}

/** Groups of words; sets of them are sums. */
export const GROUPS = {
  /** Every statement that can delete rows, or run one that can, or makes the server forget prepared ones, has one of these. */
  deleting: 1,
  /** Statements that run code in the server. */
  code: 2,
  copy: 4,
  /** What a COPY is from, where its data come from the client. */
  client: 8,
  manifest: 16,
  /** What DDL has in it that brings keys. */
  keys: 32,
  /** EXPLAIN ANALYZE of one of these makes a relation. */
  makes: 64,
  /** The name of a setting that decides what names mean, how a text is read, or what the proxy does; or a way to set one. */
  decisive: 128,
  /** What concerns prepared statements by their names. */
  prepared: 256,
  /** What DDL has in it that brings a key for the proxy, or a trigger. COMMIT PREPARED brings whatever was prepared. */
  work: 512,
  /** Every statement that can insert or change rows has one of these, unless it executes one that does. */
  writing: 1024,
  /** The name of the setting by which H2 enforces keys, or does not. */
  enforcing: 2048,
} as const;

export interface Word {
  readonly groups: number;
  /** What a statement that begins with it may do; undefined where it can be anything. */
  readonly effect: SessionEffect | undefined;
  readonly text: string;
}

const MEMBERS: Readonly<Record<keyof typeof GROUPS, string>> = {
  deleting: 'delete merge truncate execute deallocate discard',
  code: 'do call',
  copy: 'copy',
  client: 'stdin stdout',
  manifest: 'upload_manifest',
  keys: 'references enforced constraint inherit inherits attach extension',
  makes: 'create refresh',
  prepared: 'prepare execute deallocate discard',
  work: 'enforced trigger extension prepared',
  writing: 'insert update merge copy',
  enforcing: 'referential_integrity',
  decisive:
    'search_path schema role session_authorization authorization session_replication_role pgcascade standard_conforming_strings client_encoding names all',
};

/**
 * What a statement may do that begins with one of these. (What a function does that it calls cannot be seen; the expanded
 * statement checks the names itself.)
 */
const EFFECTS: Readonly<Record<SessionEffect, string>> = {
  none: 'select insert update delete values with table merge begin start savepoint release show explain copy fetch move close declare listen notify unlisten lock prepare deallocate vacuum analyze analyse checkpoint truncate comment reindex cluster refresh',
  transactionEnd: 'commit end rollback abort',
  temporary: '',
  // EXECUTE runs a query, which may set something.
  settings: 'set reset discard execute',
  schema: '',
};

/** What else is looked for, each in its place. */
const OTHERS =
  'set_config pg_settings into transaction prepared to atomic case global local temp temporary partition';

const TABLE = new WordTable(entries());

function entries(): Iterable<readonly [string, Word]> {
  const words = new Map<string, Word>();
  const note = (list: string, more: (word: Word) => Partial<Word>) => {
    for (const text of list.split(' ').filter(Boolean)) {
      const word = words.get(text) ?? { text, groups: 0, effect: undefined };
      words.set(text, { ...word, ...more(word) });
    }
  };
  for (const group of Object.keys(GROUPS) as (keyof typeof GROUPS)[])
    note(MEMBERS[group], ({ groups }) => ({ groups: groups | GROUPS[group] }));
  for (const effect of STRENGTHS) note(EFFECTS[effect], () => ({ effect }));
  note(OTHERS, () => ({}));
  return words;
}

/**
 * The word that a token is.
 * @param token a word, or a name in double quotes: these may hide the name of a function or a setting
 */
export function findWord(text: Buffer, { kind, start, end }: Lexer): Word | undefined {
  return kind === 'name' ? findAt(text, start + 1, end - 1) : findAt(text, start, end);
}

/** The word that stands in a text from `start` up to `end`. */
export function findAt(text: Buffer, start: number, end: number): Word | undefined {
  return TABLE.find(text, start, end);
}
