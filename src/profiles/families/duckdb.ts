import type { Family } from './family.js';

/** DuckDB by a server that speaks PostgreSQL's protocol. */
export const DUCKDB: Family = {
  name: 'duckdb',
  servers: ['DuckDB', 'duckgres', 'MotherDuck'],
  // S: duckgres reports server_version "15.0 (Duckgres)". T: version() of DuckDB itself is "v1.5.6".
  signs: { words: /duckdb|duckgres|motherduck/i },
  // T: "FOREIGN KEY constraints cannot use CASCADE, SET NULL or SET DEFAULT". S: DuckLake strips them without a word.
  keys: 'enforced without actions',
  // T: duckdb_constraints(); S: pg_constraint is empty.
  graph: 'duckdb_constraints()',
  strategy: 'ordered',
  reason: 'a WITH there only reads',
  // T: "A CTE needs a SELECT" for a WITH that deletes.
  deletes: { using: true, returning: true, with: 'reads', recursive: true },
  // T: U+3000 and U+00A0 are spaces, and what has no width too.
  tokens: ['wide spaces'],
  // T: SAVEPOINT is a syntax error; COMMIT of a transaction that has failed answers success, and has rolled back.
  // T: a row cannot be deleted in the transaction in which the last one was that had referenced it.
  transactions: {
    kind: 'without savepoints',
    endWithErrors: false,
    statusTells: false,
    keepsReferenced: true,
  },
  limits: {},
  // T: FOR UPDATE is refused.
  lock: 'none',
  locksTables: false,
  // T: '{1}'::int[] is refused.
  transport: { form: 'literals', chunk: 5000, rowChunk: 500 },
  // T: current_schema() is 'main'; quoted names are compared without case.
  plain: {
    schema: 'current_schema()',
    ignoresCase: true,
    rows: 'list',
    backslashes: 'plain',
    setsDefault: true,
  },
  // T: "TransactionContext Error: Conflict on update!": DuckDB has no SQLSTATEs.
  retried: ['TransactionContext Error: Conflict'],
  differs:
    'keys that it enforces have no actions: `cascade.overrides` gives them. What such a key relates it does not delete in one transaction: with `cascade.atomic: false` each statement is a transaction of its own',
  shown: 'the engine behind a front',
};
