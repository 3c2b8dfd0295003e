import type { Family } from './family.js';

/** PostgreSQL itself, from version 10 on: what its versions differ in is in ../profile.ts. T: the whole test suite, on 18. */
export const POSTGRES: Family = {
  name: 'postgres',
  servers: ['PostgreSQL'],
  signs: {},
  // T; from 18 on NOT ENFORCED keys are stored with their action, and nothing is done (T).
  keys: 'enforced',
  graph: 'pg_constraint',
  strategy: 'single',
  deletes: { using: true, returning: true, with: 'writes', recursive: true },
  transactions: { kind: 'full', endWithErrors: true, statusTells: true },
  limits: {},
  lock: 'FOR UPDATE',
  locksTables: true,
  // T: unnest of arrays; a list of 10,000 rows ends in "stack depth limit exceeded".
  transport: { form: 'arrays', chunk: 5000, rowChunk: 5000 },
  // Where its catalog cannot be read. T: current_schema() is the first schema of search_path that is there.
  plain: {
    schema: 'current_schema()',
    ignoresCase: false,
    rows: 'list',
    backslashes: 'escaped',
    setsDefault: true,
  },
  // D: PostgreSQL, 13.5 Serialization Failure Handling.
  retried: ['40001', '40P01'],
  differs: '[what differs from native](differences.md)',
  shown: 'the server itself',
};
