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
  // S: BEGIN and COMMIT are accepted and ignored, and the status byte says T behind BEGIN.
  transactions: { kind: 'none', statusTells: false },
  limits: {},
  lock: 'none',
  transport: { form: 'literals', chunk: 5000, rowChunk: 500 },
  retried: [],
  // D: CrateDB, REFRESH TABLE.
  differs:
    'no transactions: a cascade could only be rules first, leaves first; reads see deletes after `REFRESH TABLE`',
  shown: 'a gate before PostgreSQL',
};
