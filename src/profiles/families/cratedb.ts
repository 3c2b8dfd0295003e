import type { Family } from './family.js';

/** CrateDB. */
export const CRATEDB: Family = {
  name: 'cratedb',
  servers: ['CrateDB'],
  // S: crate, Messages.java: crate_version is reported; server_version is 14.0.
  signs: { parameter: 'crate_version', words: /cratedb/i },
  // S: REFERENCES is a parse error; confrelid of its pg_constraint is 0.
  keys: 'absent',
  graph: 'configuration',
  strategy: 'ordered',
  reason: 'it has no transactions, and its DELETE has neither RETURNING nor WITH',
  // S: crate, SqlBaseParser.g4: DELETE FROM t [alias] [WHERE …], with subqueries.
  deletes: { using: false, returning: false, with: 'none', recursive: false },
  // S: crate, SqlBaseLexer.g4: a comment ends with the first `*/`.
  tokens: ['flat comments'],
  // S: BEGIN and COMMIT are accepted and ignored, and the status byte says T after BEGIN.
  transactions: { kind: 'none', endWithErrors: false, statusTells: false },
  limits: {},
  lock: 'none',
  locksTables: false,
  transport: { form: 'literals', chunk: 5000, rowChunk: 500 },
  // D: CrateDB, CURRENT_SCHEMA; string literals with C-style escapes; REFRESH TABLE. S: no rows are compared, and SET takes no DEFAULT.
  plain: {
    schema: 'current_schema',
    ignoresCase: false,
    rows: 'conditions',
    backslashes: 'plain',
    setsDefault: false,
    refresh: 'REFRESH TABLE {table}',
  },
  retried: [],
  // D: CrateDB, REFRESH TABLE.
  differs:
    'no transactions: rules are asked first, and leaves go first, so that no row is left which references one that is gone, but for circles of rows; `SET DEFAULT` is refused',
  shown: 'a gate before PostgreSQL',
};
