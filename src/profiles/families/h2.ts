import type { Family } from './family.js';

/** H2 with its server for PostgreSQL's protocol (-pg). T: version 2.1.214. */
export const H2: Family = {
  name: 'h2',
  servers: ['H2'],
  // T: server_version is 8.2.23; version() "PostgreSQL 8.2.23 server protocol using H2 2.1.214 (2022-06-13)".
  signs: { words: /\busing H2 \d/, version: '8.2.23' },
  // T: with all actions; inert after SET REFERENTIAL_INTEGRITY FALSE.
  keys: 'enforced',
  // T: table_constraints.enforced is NO where REFERENTIAL_INTEGRITY is off; pg_constraint has no confdeltype.
  graph: 'information_schema',
  strategy: 'ordered',
  reason: 'its DELETE has neither RETURNING nor a WITH that writes',
  // T: it has SELECT … FROM OLD TABLE (DELETE …) in place of RETURNING; a WITH without a table name is an error inside of H2.
  deletes: { using: false, returning: false, with: 'none', recursive: false },
  // T: LIMIT and FETCH of one number, no FROM. TOP it takes after SET MODE MSSQLServer alone, and then no LIMIT in a SELECT.
  grammar: { dialect: 'h2', forms: ['no FROM', 'LIMIT', 'FETCH'] },
  // T: `//` begins a comment of a line; E'a\' is a whole literal; $ is a parameter, and $$ a literal after a space alone. Its comments
  // nest. Spaces beyond ASCII have it read on without an end; [a] is a name after SET MODE MSSQLServer alone.
  tokens: ['//', 'plain E', 'no dollars', '`names`'],
  // T: after an error in a transaction the status stays T; it does not skip to Sync.
  transactions: { kind: 'full', endWithErrors: false, statusTells: false },
  limits: {},
  lock: 'FOR UPDATE',
  locksTables: false,
  // T: a list of 10,000 rows takes half a second; as VALUES 1,000 take minutes.
  transport: { form: 'literals', chunk: 5000, rowChunk: 1000 },
  // T: CURRENT_SCHEMA is 'public'; a backslash stands for itself, whatever it reports of standard_conforming_strings.
  plain: {
    schema: 'CURRENT_SCHEMA',
    ignoresCase: false,
    rows: 'list',
    backslashes: 'plain',
    setsDefault: true,
  },
  // T: a lock that is waited for too long ends in HYT00. D: H2, error codes: 40001 is a deadlock.
  retried: ['HYT00', '40001'],
  differs:
    'its own keys cascade, unless `REFERENTIAL_INTEGRITY` is off: then pgcascade does what they declare, unless `cascade.declared` is false. Its own `SET DEFAULT` leaves keys that reference nothing, which pgcascade refuses',
  shown: 'the server itself',
};
