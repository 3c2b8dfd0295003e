/** What is said of cascades on servers to which they are sent in plain statements. */
import type { ErrorKind } from './error-kind.js';

export const FAMILY_ERRORS = {
  PGC_FAMILY: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade a DELETE from {table} on {server}: {what}',
    hint: 'Send a plain DELETE from the table, as a statement of its own: docs/databases.md says what can be done there.',
  },
  PGC_ATOMIC: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade a DELETE from {table} as a whole: the server is {server}, and {reason}',
    hint: 'Set cascade.atomic to false to have the rows deleted by one statement after the other, those that reference others first: docs/databases.md says what an interruption leaves.',
  },
  PGC_FAMILY_LOCKS: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot cascade a DELETE from {table} on {server}: its tables are not locked there (cascade.locks is tables)',
    hint: 'Delete without locks on tables: SET pgcascade.locks = none.',
  },
  PGC_FAMILY_KEYS: {
    sqlstate: '55000',
    message:
      'cannot tell whether a DELETE has to cascade: the server is {server}, and its keys could not be read: {reason}',
    hint: 'Nothing was sent. Its role needs to read the catalog: docs/databases.md says what is asked.',
  },
  PGC_FAMILY_KEPT: {
    sqlstate: '40001',
    message:
      'cannot cascade a DELETE from {table}: {found} of its rows were found, and {deleted} could be deleted',
    hint: 'Nothing was deleted: another transaction has changed them, or a trigger has kept some. Run the statement again.',
  },
  PGC_FAMILY_OPEN: {
    sqlstate: '40000',
    message:
      'a cascade has failed in part, in a transaction that the server keeps open: the connection is closed, so that it is rolled back',
    hint: 'Connect again, and run the transaction again.',
  },
  PGC_FAMILY_NAME: {
    sqlstate: '0A000',
    message: 'cannot cascade a DELETE from {table}: names without a schema are looked up in {schema} here',
    hint: 'Write the schema of the table before its name.',
  },
} as const satisfies Record<string, ErrorKind>;
