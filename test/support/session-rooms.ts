/** The rooms of a session: of what the client says, of what is done about it, of what the session has been told. */
import { answering, deciding, type Room, rewriting, seeing } from './room.js';

export const sessionRooms: Readonly<Record<string, Room>> = {
  'session/client/extended': {
    purpose:
      'the extended query protocol, a file for each message: Parse, Bind, Describe, Execute, Close, Flush, Sync',
    may: ['session/client', 'session/execute', ...deciding],
  },
  'session/client/simple': {
    purpose: 'the simple query protocol: a Query, sent as one text or statement by statement',
    may: ['session/client', 'session/execute', ...deciding],
  },
  'session/client': {
    purpose:
      'what both protocols share: units of work, COPY data, prepared statements, portals; and FunctionCall',
    may: ['session/execute', ...deciding],
  },
  'session/execute': {
    purpose: 'an expanded statement until it ends for good: try, find out, lock, retry',
    may: ['session/execute/ordered', 'session/execute/paged', 'session/execute/plain', ...deciding],
    types: ['observe'],
  },
  'session/execute/paged': {
    purpose: 'a statement that is carried out in transactions of a limited number of rows',
    may: ['session/execute/ordered', ...deciding],
    types: ['observe'],
  },
  'session/execute/ordered': {
    purpose:
      'a statement that is carried out by a sequence: the steps in a pipeline, and the keys between them',
    may: deciding,
    types: ['observe'],
  },
  'session/execute/plain': {
    purpose:
      'a statement that is carried out by plain statements: each a query of its own, with the keys in its text',
    may: deciding,
    types: ['observe'],
  },
  'session/decide': {
    purpose: "what is sent in place of a client's text, and what the names of prepared statements stand for",
    may: [...seeing, ...answering],
    types: ['observe'],
  },
  'session/catalog/told': {
    purpose:
      'the keys that servers tell of which are not asked what PostgreSQL is, and what names mean there',
    may: ['session/catalog', 'session/policy', ...answering],
    types: ['observe'],
  },
  'session/catalog': {
    purpose: 'names, settings and the graph as one session sees them',
    may: ['session/policy', ...answering],
    types: ['observe'],
  },
  'session/policy': {
    purpose: 'what the configuration says to statements, as one session goes by it',
    may: ['graph'],
    types: ['rewrite', 'plan'],
  },
  'session/answers': {
    purpose: "the server's answers to rewritten statements, turned back into those to the client's own",
    may: ['session/server', ...rewriting],
  },
  'session/server': {
    purpose:
      "the connection to the server: its output, its state, outstanding replies, the proxy's own queries",
    may: rewriting,
  },
};
