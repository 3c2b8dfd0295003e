/** What is said of cascades in several transactions (cascade.batch_rows). */
import type { ErrorKind } from './error-kind.js';

/** Rows of a batch where nobody has said how many. */
export const DEFAULT_BATCH_ROWS = 2500;

/** Rows that a transaction may be allowed at most: it is held as a whole, as its keys are. */
export const MOST_BATCH_ROWS = 1_000_000;

export const BATCH_ERRORS = {
  PGC_BATCH: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade from {table} in batches: {what}',
    hint: 'Send a plain DELETE from the table, as a statement of its own outside of a transaction, or do all in one with SET pgcascade.batch_rows = off.',
  },
  PGC_BATCH_VALUE: {
    sqlstate: '22023',
    message: 'invalid value for parameter "pgcascade.batch_rows": "{value}"',
    hint: `Available values: off, or a number of rows, ${MOST_BATCH_ROWS} at most.`,
  },
  PGC_LIMIT_VALUE: {
    sqlstate: '22023',
    message: 'invalid value for parameter "pgcascade.on_limit": "{value}"',
    hint: 'Available values: fail, batch.',
  },
  PGC_BATCH_CYCLE: {
    sqlstate: '54000',
    message: 'cannot cascade from {table} in batches: the rows of cycles are more than a batch',
    hint: 'Allow more rows with SET pgcascade.batch_rows, as far as a transaction of the server takes them.',
  },
  PGC_BATCH_KEYS: {
    sqlstate: '54000',
    message: 'cannot cascade from {table} in batches: the keys of the rows of a batch take more than 64 MiB',
    hint: 'Allow fewer rows with SET pgcascade.batch_rows.',
  },
  PGC_BATCH_KEPT: {
    sqlstate: '0A000',
    message: 'cannot cascade from {table} in batches: a BEFORE trigger keeps a row',
    hint: 'Do all in one transaction with SET pgcascade.batch_rows = off.',
  },
  PGC_BATCH_CANCELED: {
    sqlstate: '57014',
    message: 'canceling statement due to user request, between two batches of a cascade from {table}',
    hint: 'The same statement again goes on where it has stopped.',
  },
  PGC_BATCH_DRAINING: {
    sqlstate: '57P01',
    message: 'the proxy is shutting down, between two batches of a cascade from {table}',
    hint: 'The same statement again goes on where it has stopped.',
  },
} as const satisfies Record<string, ErrorKind>;
