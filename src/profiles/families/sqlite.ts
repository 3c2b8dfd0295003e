import { type Family, OWN_TOKENS } from './family.js';

/** SQLite by a server that speaks PostgreSQL's protocol, as pgsqlite and postlite do. T: sql.js, SQLite 3.49. */
export const SQLITE: Family = {
  name: 'sqlite',
  servers: ['SQLite'],
  // A front may report any version: `profile: sqlite` says what is behind it.
  signs: { words: /sqlite/i },
  // T: with all actions after PRAGMA foreign_keys = ON; without it they are stored, and nothing is done.
  keys: 'inert',
  graph: 'configuration',
  strategy: 'ordered',
  reason: 'a WITH there only reads',
  // T: a WITH holds a SELECT alone; DELETE has no USING.
  deletes: { using: false, returning: true, with: 'reads', recursive: true },
  // D: SQLite, keywords: `t` and [t] are quoted names. LIMIT is not compiled in, as a rule.
  grammar: { dialect: 'sqlite', forms: [] },
  // T: E'…' is a name with a literal after it, which no backslash escapes; $a$ and $a(…) are parameters; a byte order mark is a space.
  tokens: OWN_TOKENS.filter((token) => token !== '//' && token !== 'backslashes'),
  // T: a statement that fails leaves the transaction open, with what was done before.
  transactions: { kind: 'full', endWithErrors: false, statusTells: true },
  limits: {},
  // T: FOR UPDATE is a syntax error; whoever writes has the database alone.
  lock: 'none',
  locksTables: false,
  transport: { form: 'literals', chunk: 5000, rowChunk: 500 },
  // T: the schema is called main; (a, b) IN ((1, 2)) is "row value misused"; SET a = DEFAULT is a syntax error.
  plain: {
    schema: "'main'",
    ignoresCase: true,
    rows: 'values',
    backslashes: 'plain',
    setsDefault: false,
  },
  // D: SQLite, result codes: SQLITE_BUSY.
  retried: ['database is locked'],
  differs: 'its own keys cascade after `PRAGMA foreign_keys = ON`, which is off in each new connection',
  shown: 'the engine behind a front',
};
