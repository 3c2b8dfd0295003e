/** The rooms of src: what each of them is for, and what it may import. CONTRIBUTING has the same table. */
import { deciding, ground, planning, type Room } from './room.js';
import { sessionRooms } from './session-rooms.js';

/** The folders of src, and the files at its top, from the top down: a room imports from those below it. */
export const rooms: Readonly<Record<string, Room>> = {
  cli: {
    purpose: 'commands, flags, exit codes, signals',
    may: [
      ...['app', 'doctor', 'script', 'script/dialects', 'schema-files', 'admin', 'auth/users', 'audit'],
      ...['graph', 'sql', 'upstream', 'config', 'config/values', 'observe', 'open-files', 'errors', 'pace'],
    ],
  },
  app: {
    purpose: 'the composition root: start and drain',
    may: ['reload', 'observing', 'net', 'net/embedded', 'session', 'rewrite', 'observe', ...ground, 'config'],
    types: ['admin', 'audit'],
  },
  doctor: {
    purpose: 'what would not work in a database, and what holds there',
    may: ['schema-files', 'graph/watch', 'render/single/actions', ...planning],
    types: ['config'],
  },
  reload: {
    purpose: 'what is made of the configuration anew when it is read again, and put in force as a whole',
    may: ['schema-files', 'auth', 'net', 'graph', 'config', 'open-files'],
    types: ['session', 'observe'],
  },
  observing: {
    purpose: 'what is told of the proxy, put together: log, metrics, record, reports over HTTP',
    may: ['admin', 'audit', 'observe', 'config'],
    types: ['net', 'session'],
  },
  script: {
    purpose: 'a DELETE to a script of ordered deletes, for databases that no proxy stands before; pure',
    may: ['script/dialects', 'schema-files', 'plan', ...ground],
  },
  'script/dialects': {
    purpose: 'what scripts for sqlite3, mysql and psql differ in, a file for each',
    may: ['graph', 'sql', 'errors'],
  },
  'schema-files': {
    purpose: 'files of CREATE TABLE statements, as dumps are: their tables and keys, and the graph of these',
    may: ['graph', 'sql', 'config', 'errors', 'pace'],
  },
  'net/embedded': {
    purpose: 'the embedded database',
    may: ['net/embedded/engine', 'net', 'wire', 'sql/lexer', 'errors'],
  },
  'net/embedded/engine': { purpose: 'PGlite in its thread, and the data that it starts from', may: [] },
  // How an address is written is the configuration's to know.
  net: {
    purpose: 'listeners, upstreams, cancel requests',
    may: [
      'net/sessions',
      'auth',
      'auth/exchange',
      'session',
      'upstream',
      'observe',
      'wire',
      'errors',
      'config',
      'credentials',
    ],
    types: ['config/values'],
  },
  'net/sessions': {
    purpose: 'the sessions there are: how many clients are let in, and which of them ask nothing',
    may: ['session', 'errors'],
    types: ['observe'],
  },
  admin: {
    purpose: 'probes, metrics, reports and reloads over HTTP',
    may: ['config', 'errors'],
    types: ['graph', 'observe'],
  },
  session: {
    purpose: 'one client and its server: the relay, dispatch, and the life of both connections',
    may: [
      'session/client/extended',
      'session/client/simple',
      'session/client',
      'session/execute',
      ...deciding,
    ],
    types: ['auth', 'config', 'observe'],
  },
  auth: {
    purpose: 'the login, up to the first ReadyForQuery, where the session begins',
    may: ['auth/exchange', 'auth/users', 'auth/scram', 'session/server', 'wire', 'config', 'errors'],
    types: ['upstream', 'config/values', 'observe'],
  },
  'auth/exchange': {
    purpose: 'what is asked and answered in a login that the proxy makes out itself',
    may: ['auth/users', 'auth/scram', 'upstream', 'wire', 'errors'],
    types: ['config/values'],
  },
  'auth/users': {
    purpose: 'the users that the proxy itself knows, from a file',
    may: ['auth/scram', 'config', 'errors'],
  },
  'auth/scram': {
    purpose: 'SCRAM-SHA-256, both sides, message by message; pure',
    may: ['errors'],
  },
  ...sessionRooms,
  audit: {
    purpose: 'the record of cascades, a line each',
    may: ['observe', 'plan', 'graph', 'errors'],
  },
  observe: {
    purpose: 'what a session tells of itself, the log and the metrics',
    may: ['plan', 'graph', 'config', 'errors'],
  },
  rewrite: {
    purpose: 'a text to what is sent in its place, and what becomes of the answers; pure',
    may: ['rewrite/statement', 'render', ...planning],
  },
  'rewrite/statement': {
    purpose: 'one statement to what is sent in its place, a file for each form',
    may: ['render', ...planning],
  },
  'render/paged': {
    purpose: 'a plan as pages: transactions of a limited number of rows, each from the leaves up',
    may: [
      'render',
      'render/ordered',
      'render/single',
      'render/single/checks',
      'render/single/actions',
      ...planning,
    ],
  },
  'render/ordered': {
    purpose: 'a plan as a sequence of statements: what is collected, asked, changed and deleted, in order',
    may: ['render', 'render/single', 'render/single/checks', 'render/single/actions', ...planning],
  },
  'render/plain': {
    purpose:
      'a plan as statements that any database understands: about one table each, with keys as literals',
    may: ['render', 'render/single', ...planning],
  },
  'render/guard': {
    purpose: 'a statement that writes keys, with what looks at them, and what does what ON UPDATE says',
    may: ['render', 'render/single', 'render/single/actions', ...planning],
  },
  'render/single': {
    purpose: 'a plan as one statement: the whole, and the locks before it',
    may: ['render', 'render/single/checks', 'render/single/actions', ...planning],
  },
  'render/single/checks': {
    purpose: 'conditions that fail the statement where a rule is broken',
    may: ['render', 'render/single/actions', ...planning],
  },
  'render/single/actions': {
    purpose: 'deletions, changes, and the queue that orders them, as CTEs',
    may: ['render', ...planning],
  },
  render: {
    purpose: "splicing into the client's text, markers, names of the proxy's own",
    may: planning,
  },
  plan: {
    purpose:
      'what has to be done for a DELETE, or for keys that are written, whatever the database can; pure',
    may: ground,
  },
  'graph/watch': {
    purpose: 'being told of changes of the schema',
    may: ['graph', 'upstream', 'wire', 'sql', 'errors', 'pace'],
    types: ['config/values'],
  },
  graph: {
    purpose: 'foreign keys: the model, the catalog merged with the configuration, the cache',
    may: ['graph/told', 'graph/catalog', 'profiles', 'sql', 'errors', 'pace'],
  },
  'graph/told': {
    purpose:
      'the keys that databases other than PostgreSQL tell of: the questions, and a catalog of the answers',
    may: ['graph/catalog', 'profiles/families', 'sql', 'errors', 'pace'],
  },
  'graph/catalog': {
    purpose: 'the questions to the catalog, and their answers',
    may: ['sql', 'errors', 'pace'],
  },
  upstream: {
    purpose: 'connections to servers, with TLS',
    may: ['wire', 'credentials'],
    types: ['config', 'config/values'],
  },
  wire: {
    purpose: 'protocol bytes: framing, startup, frontend and backend messages; no SQL',
    may: ['sql/encoding'],
  },
  'sql/reading': {
    purpose:
      'texts to statements, long ones in a thread; and those of other databases, where their DELETE is understood',
    may: ['sql', 'sql/statement', 'sql/parser', 'sql/dialects', 'sql/lexer', 'sql/encoding', 'errors'],
  },
  'sql/statement': {
    purpose: 'what a statement is as far as deleting goes, and the places in its text',
    may: ['sql', 'sql/parser', 'sql/lexer', 'sql/encoding', 'errors'],
  },
  'sql/parser': {
    purpose: "PostgreSQL's own parser, its trees, and texts as it takes them",
    may: ['sql', 'sql/lexer', 'errors'],
  },
  'sql/dialects': {
    purpose: 'texts in the SQL of other databases: tokens, statements, and the grammars of node-sql-parser',
    may: ['sql', 'errors', 'pace'],
  },
  'sql/lexer': {
    purpose: 'one pass over the bytes: what a text may do, told without parsing it',
    may: ['sql', 'errors'],
    types: ['profiles/families'],
  },
  'sql/encoding': { purpose: 'characters, and texts that are not UTF-8', may: ['sql', 'errors'] },
  sql: { purpose: 'names and literals, quoted', may: ['errors'] },
  config: {
    purpose: 'schema, loading: flags over variables over the file',
    may: ['config/values', 'profiles/families', 'credentials', 'errors'],
  },
  'config/values': {
    purpose: 'what a word, a time or a size is, and what a URL says of TLS and of logins',
    may: [],
  },
  profiles: {
    purpose: 'of which family a server is, and what its version can do',
    may: ['profiles/families'],
  },
  'profiles/families': { purpose: 'what each family of databases can do, as data, a file each', may: [] },
  credentials: { purpose: 'certificates and private keys in files', may: [] },
  errors: { purpose: 'the one table of errors', may: [] },
  'open-files': { purpose: 'how many clients the limit of open files allows', may: [] },
  pace: { purpose: 'long work in slices', may: [] },
};
