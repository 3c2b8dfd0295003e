import { type Family, OWN_TOKENS } from './family.js';

/** A server of which nothing is known but that it speaks the protocol: so nothing is presumed. */
export const UNKNOWN: Family = {
  name: 'unknown',
  servers: ['any other server, and PostgreSQL before version 10'],
  signs: {},
  keys: 'absent',
  graph: 'configuration',
  strategy: 'none',
  reason: 'it is neither PostgreSQL 10 or later nor a database that is known here',
  deletes: { using: false, returning: false, with: 'none', recursive: false },
  tokens: OWN_TOKENS,
  transactions: { kind: 'none', endWithErrors: false, statusTells: false },
  limits: {},
  lock: 'not known',
  locksTables: false,
  transport: { form: 'literals', chunk: 5000, rowChunk: 500 },
  plain: {
    schema: 'current_schema',
    ignoresCase: false,
    rows: 'conditions',
    backslashes: 'refused',
    setsDefault: false,
  },
  retried: [],
  differs: 'a cascade is refused',
  // T: SQLite, which takes itself for none.
  shown: 'the engine behind a front',
};
