/** Reads the text of a schema file: what pg_dump, mysqldump, sqlite3's .schema or a person has written. */

import type { Steps } from '../pace.js';
import { type Dialect, LEXIS } from '../sql/dialects/dialect.js';
import { type Statement, statementsOf } from '../sql/dialects/statements.js';
import { contradicted } from './by-grammar.js';
import { definitionsByPostgres } from './by-postgres.js';
import { definitionsByTokens } from './by-tokens.js';
import type { Definition } from './definition.js';
import { type FileProblem, type FileTable, tablesOf } from './tables.js';

export interface SchemaText {
  readonly tables: readonly FileTable[];
  /** What the text names and does not have, and what of it cannot be read: then nothing of it may be used. */
  readonly problems: readonly FileProblem[];
}

const DEFINING: ReadonlySet<string> = new Set(['CREATE', 'ALTER', 'DROP', 'USE']);

/** Where tables are that the file names without a schema: in SQLite and MySQL that is the database itself. */
const DEFAULT_SCHEMA: Readonly<Record<Dialect, string>> = {
  postgresql: 'public',
  greenplum: 'public',
  redshift: 'public',
  mysql: '',
  mariadb: '',
  sqlite: 'main',
};

/**
 * PostgreSQL's statements are read by its own parser, which has to be ready (parserReady). Those of others are read from their
 * tokens, as node-sql-parser knows no dump as a whole; the keys of statements that it knows have to be the same to it.
 * @param schema of the names that have none, where it is another one than usual in this dialect
 */
export function* readSchemaText(text: string, dialect: Dialect, schema?: string): Steps<SchemaText> {
  const lexis = LEXIS[dialect];
  const { statements, unfinished } = yield* statementsOf(text, lexis, DEFINING);
  const problems: FileProblem[] = [];
  if (unfinished !== undefined)
    problems.push({ line: unfinished, text: 'a string, a name or a comment begins here and has no end' });
  const definitions: Definition[] = [];
  for (const statement of statements) {
    const read = definitionsOf(statement, text, dialect);
    definitions.push(...read.definitions);
    problems.push(...read.problems);
    yield;
  }
  const { tables, problems: missing } = tablesOf(definitions, lexis, schema ?? DEFAULT_SCHEMA[dialect]);
  return { tables, problems: [...problems, ...missing] };
}

/** The schema of names that a statement in this dialect has none for. */
export function defaultSchema(dialect: Dialect): string {
  return DEFAULT_SCHEMA[dialect];
}

interface Read {
  readonly definitions: readonly Definition[];
  readonly problems: readonly FileProblem[];
}

function definitionsOf(statement: Statement, text: string, dialect: Dialect): Read {
  const sql = text.slice(statement.start, statement.end);
  const byTokens = definitionsByTokens(statement, LEXIS[dialect]);
  if (dialect === 'postgresql') {
    const read = definitionsByPostgres(sql, (byte) => statement.line + newlines(sql, byte));
    if (read) return { definitions: read, problems: [] };
    // What neither of them takes for a table is a function, an extension or the like.
    if (byTokens.length === 0) return NOTHING;
    return problem(statement.line, "PostgreSQL's grammar does not know this statement");
  }
  const keys = byTokens.flatMap((each) => (each.kind === 'create' || each.kind === 'alter' ? each.keys : []));
  const other = contradicted(sql, dialect, keys);
  return other
    ? problem(other.line, 'what this key references can be read in two ways: say it in cascade.relations')
    : { definitions: byTokens, problems: [] };
}

const NOTHING: Read = { definitions: [], problems: [] };

function problem(line: number, text: string): Read {
  return { definitions: [], problems: [{ line, text }] };
}

/** How many lines end before a place, in bytes of UTF-8. */
function newlines(sql: string, byte: number): number {
  const before = Buffer.from(sql).subarray(0, byte);
  let count = 0;
  for (const each of before) if (each === 0x0a) count++;
  return count;
}
