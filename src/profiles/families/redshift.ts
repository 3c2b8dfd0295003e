import type { Family } from './family.js';

/** Amazon Redshift: a fork of PostgreSQL 8.0.2. */
export const REDSHIFT: Family = {
  name: 'redshift',
  servers: ['Redshift'],
  // D: Redshift, VERSION(): "PostgreSQL 8.0.2 on i686-pc-linux-gnu, …, Redshift 1.0.12103".
  signs: { words: /redshift/i },
  // D: Redshift, table constraints: informational; no action can be declared.
  keys: 'inert',
  // S: its pg_constraint has them (sqlalchemy-redshift reads contype f), and not what is asked of one of PostgreSQL 10.
  graph: 'configuration',
  strategy: 'ordered',
  reason: 'what a DELETE takes cannot be told there: it has no RETURNING, and a WITH only reads',
  // D: Redshift, DELETE: [WITH [RECURSIVE] …] DELETE [FROM] t [USING …] [WHERE …].
  deletes: { using: true, returning: false, with: 'reads', recursive: true },
  // D: Redshift, DELETE: FROM is optional.
  grammar: { dialect: 'redshift', forms: ['no FROM'] },
  // PostgreSQL 8.0 has no standard_conforming_strings, and E'…' came with 8.1.
  tokens: ['backslashes', 'plain E'],
  // D: Redshift, unsupported PostgreSQL features: SAVEPOINT.
  transactions: { kind: 'without savepoints', endWithErrors: true, statusTells: true },
  // D: Redshift, quotas: an SQL statement has 16 MB at most.
  limits: { statementBytes: 16 * 1024 * 1024 },
  // D: Redshift, LOCK: tables are locked; SELECT has no clause for rows.
  lock: 'none',
  locksTables: false,
  // D: Redshift, unsupported PostgreSQL data types: arrays.
  transport: { form: 'literals', chunk: 5000, rowChunk: 500 },
  // D: Redshift, CURRENT_SCHEMA; IN condition (of one expression); UPDATE (SET column = { expression | DEFAULT }). E'…' is not documented.
  plain: {
    schema: 'current_schema()',
    ignoresCase: false,
    rows: 'conditions',
    backslashes: 'refused',
    setsDefault: true,
  },
  // D: Redshift, serializable isolation: "ERROR: 1023 … Serializable isolation violation".
  retried: ['1023'],
  differs: 'the keys of its tables only inform its planner',
  shown: 'a gate before PostgreSQL',
};
