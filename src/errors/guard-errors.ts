/** What is said of statements whose keys cannot be looked at (cascade.guard), and of the session's own settings for keys and locks. */
import type { ErrorKind } from './error-kind.js';

export const GUARD_ERRORS = {
  PGC_GUARD_VALUE: {
    sqlstate: '22023',
    message: 'invalid value for parameter "pgcascade.guard": "{value}"',
    hint: 'Available values: off, lock, check.',
  },
  PGC_LOCKS_VALUE: {
    sqlstate: '22023',
    message: 'invalid value for parameter "pgcascade.locks": "{value}"',
    hint: 'Available values: none, rows, tables.',
  },
  PGC_GUARD: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot look at the keys that {form} writes in {table} (cascade.guard is {guard})',
    hint: 'Send a plain INSERT, UPDATE or MERGE as a statement of its own (a COPY FROM passes with cascade.copy: verify), or write without a look: SET pgcascade.guard = off.',
  },
  PGC_GUARD_DELETED: {
    sqlstate: '0A000',
    message:
      'cannot delete from {table} and write a row in the same statement that references by {key} what is deleted',
    hint: 'Natively the row is refused or deleted too, as either comes first. Send the DELETE and what else it writes as two statements.',
  },
  PGC_GUARD_REFERENCED: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot change what key {key} references in {table}: what its ON UPDATE says cannot be done here (cascade.guard is check)',
    hint: 'Leave these columns as they are, or change them in an order of your own with SET pgcascade.guard = off.',
  },
  PGC_GUARD_SNAPSHOT: {
    sqlstate: '0A000',
    message:
      'cannot change what key {key} references in {table} in a transaction that is REPEATABLE READ or SERIALIZABLE (cascade.guard is check)',
    hint: 'Such a transaction does not see what has come to reference it since. Change it in one that is READ COMMITTED.',
  },
} as const satisfies Record<string, ErrorKind>;
