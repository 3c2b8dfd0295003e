/**
 * Forms of a DELETE that PostgreSQL's grammar does not have, found by tokens: the text as that grammar would have it, and what
 * it lacks then. The client's own text is never replaced by it.
 *
 * node-sql-parser is for files alone: it has no grammar of H2, its one of Redshift does not know DELETE without FROM, and each
 * parenthesis that is not closed takes it twice as long and more, in which time no client would be served.
 */
import { LEXIS, type Lexis } from './dialect.js';
import { isWord } from './statements.js';
import { type Token, Tokens } from './tokens.js';

/** What the family takes: data of its profile. */
export interface OwnForms {
  readonly dialect: 'h2' | 'redshift' | 'sqlite';
  readonly forms: readonly ('no FROM' | 'LIMIT' | 'FETCH')[];
}

/** A statement of the client's text, all places in UTF-16 units of it. */
export interface FormedStatement {
  readonly start: number;
  readonly end: number;
  /** As ForeignParts; undefined where nothing had to be changed but quotes. */
  readonly parts: FormedParts | undefined;
}

interface FormedParts {
  readonly lacksFrom: boolean;
  readonly limit: string;
}

export interface PostgresForm {
  /** What PostgreSQL's grammar can read. */
  readonly sql: string;
  readonly statements: readonly FormedStatement[];
  /** The place in the client's text of one in `sql`. */
  original(place: number): number;
}

/** H2's backslashes, and names without double quotes, are none of PostgreSQL's either: they are left to the parser, which refuses them. */
const LEXIS_OF: Readonly<Record<OwnForms['dialect'], Lexis>> = {
  h2: LEXIS.postgresql,
  redshift: LEXIS.redshift,
  sqlite: LEXIS.sqlite,
};
/** What is put after a DELETE without it. */
const FROM = ' FROM';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly sql: string;
}

/** @returns undefined where the text cannot be cut into tokens, or nothing in it is one of these forms */
export function postgresForm(text: string, own: OwnForms): PostgresForm | undefined {
  const found = statementsIn(text, LEXIS_OF[own.dialect]);
  if (found === undefined) return undefined;
  const edits: Edit[] = [];
  const statements = found.map((tokens): FormedStatement => {
    const parts = readParts(text, tokens, own, edits);
    return { start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.end ?? 0, parts };
  });
  if (own.dialect === 'sqlite') edits.push(...requoted(text, found.flat()));
  if (edits.length === 0) return undefined;
  edits.sort((a, b) => a.start - b.start);
  let sql = '';
  let read = 0;
  for (const edit of edits) {
    sql += text.slice(read, edit.start) + edit.sql;
    read = edit.end;
  }
  const inserted = edits.filter(({ start, end }) => start === end).map(({ start }) => start);
  return {
    sql: sql + text.slice(read),
    statements,
    original(place) {
      // Each insertion before it has moved it.
      let at = place;
      for (const insertion of inserted) if (at > insertion) at -= FROM.length;
      return at;
    },
  };
}

/** The tokens of each statement, but for empty ones; undefined where something has no end. */
function statementsIn(text: string, lexis: Lexis): readonly (readonly Token[])[] | undefined {
  const reader = new Tokens(text, lexis);
  const statements: Token[][] = [];
  let tokens: Token[] = [];
  for (;;) {
    const token = reader.next();
    if (token.kind === 'unfinished') return undefined;
    if (token.kind !== 'separator' && token.kind !== 'end') {
      tokens.push(token);
      continue;
    }
    if (tokens.length > 0) statements.push(tokens);
    if (token.kind === 'end') return statements;
    tokens = [];
  }
}

/** What a DELETE has beside PostgreSQL's grammar; what has to be changed for that comes to `edits`. */
function readParts(
  text: string,
  tokens: readonly Token[],
  { forms }: OwnForms,
  edits: Edit[],
): FormedStatement['parts'] {
  const at = deleteIn(tokens);
  const verb = tokens[at];
  if (verb === undefined) return undefined;
  const rest = tokens.slice(at + 1);
  const [next] = rest;
  const isNamed = next?.kind === 'word' || next?.kind === 'name';
  const lacksFrom = forms.includes('no FROM') && isNamed && !isWord(next, 'FROM');
  const length = lengthOfLimit(rest, forms);
  const first = length > 0 ? rest.at(-length) : undefined;
  const end = rest.at(-1)?.end;
  if (lacksFrom) edits.push({ start: verb.end, end: verb.end, sql: FROM });
  if (first === undefined || end === undefined) return lacksFrom ? { lacksFrom, limit: '' } : undefined;
  edits.push({ start: first.start, end, sql: ' '.repeat(end - first.start) });
  return { lacksFrom, limit: text.slice(first.start, end) };
}

/** Where the statement's own DELETE stands: at its beginning, or after a WITH; -1 where it has none. */
function deleteIn(tokens: readonly Token[]): number {
  if (isWord(tokens[0], 'DELETE')) return 0;
  if (!isWord(tokens[0], 'WITH')) return -1;
  let depth = 0;
  return tokens.findIndex((token, i) => {
    if (token.kind === 'sign') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    return depth === 0 && isWord(token, 'DELETE') && tokens[i - 1]?.text === ')';
  });
}

/** Of `LIMIT 3`, or `FETCH FIRST 3 ROWS ONLY`, at the end of a statement the number of tokens; 0 where it is neither. */
function lengthOfLimit(rest: readonly Token[], forms: OwnForms['forms']): number {
  const last = (count: number) => rest[rest.length - count];
  if (forms.includes('LIMIT') && isWord(last(2), 'LIMIT') && last(1)?.kind === 'number') return 2;
  const isFetch = isWord(last(1), 'ONLY') && (isWord(last(2), 'ROW') || isWord(last(2), 'ROWS'));
  if (!forms.includes('FETCH') || !isFetch) return 0;
  const length = last(3)?.kind === 'number' ? 5 : 4;
  const isOrder = isWord(last(length - 1), 'FIRST') || isWord(last(length - 1), 'NEXT');
  return isOrder && isWord(last(length), 'FETCH') ? length : 0;
}

/** SQLite's `name` and [name] in double quotes. One that has such a quote in it is left as it is, and the parser refuses it. */
function requoted(text: string, tokens: readonly Token[]): readonly Edit[] {
  return tokens.flatMap(({ kind, text: name, start, end }) => {
    const isOther = kind === 'name' && text[start] !== '"' && !/["`]/.test(name);
    return isOther ? [{ start, end, sql: `"${name}"` }] : [];
  });
}
