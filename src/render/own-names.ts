/**
 * The names that an expanded statement gives to its own CTEs and their columns. None of them may be one that the client's
 * text, or a table that it concerns, has too: the name would then mean the wrong one of the two.
 */
import { randomBytes } from 'node:crypto';
import { type Edit, insertion } from './splice.js';

/** Stands before each name of the statement's own until its prefix is known: no SQL has this character. */
const OWN = '\0';

/** What all of them begin with, unless that is taken. */
const PREFIX = 'pgc_';

/** The prefix of this process, for texts whose names cannot be read off: U&"\0070gc_0" is a name that begins with pgc_ too. */
const UNGUESSABLE = `pgc_${randomBytes(6).toString('hex')}_`;

/** A name of the statement's own: `pgc_0` for `0`. It is whole once `withOwnNames` has put the prefix in. */
export function ownName(name: string): string {
  return `${OWN}${name}`;
}

/**
 * Puts the prefix into what is going to be spliced into a text: `pgc_`, or `pgc1_`, `pgc2_` … where the text, a name that
 * is put into it, or a column has that. The same for the same input: prepared statements are compared by their texts.
 * @param columns that may come to stand beside the statement's own without being spelled anywhere: those of RETURNING *
 * @param open the statement may have columns whose names are not known here
 */
export function withOwnNames(
  text: string,
  edits: readonly Edit[],
  columns: readonly string[],
  open: boolean,
): readonly Edit[] {
  // Names that are not quoted are folded to lower case. A prefix in a literal is avoided too: nothing depends on which one it is.
  const taken = [text, ...edits.map(({ sql }) => sql), ...columns].join('\n').toLowerCase();
  const prefix = open || /u&"/.test(taken) ? UNGUESSABLE : firstFree(taken);
  return edits.map((edit) => ({ ...edit, sql: edit.sql.replaceAll(OWN, prefix) }));
}

/** The same for a statement that has nothing of the client's. */
export function withNames(sql: string): string {
  return withOwnNames('', [insertion(0, sql)], [], false)
    .map((edit) => edit.sql)
    .join('');
}

/** The first prefix that a text does not have. The text is searched once, whatever it has. */
function firstFree(text: string): string {
  const taken = new Set<string>();
  for (const [prefix] of text.matchAll(/pgc(?:[1-9]\d*)?_/g)) taken.add(prefix);
  let free = PREFIX;
  for (let i = 1; taken.has(free); i++) free = `pgc${i}_`;
  return free;
}
