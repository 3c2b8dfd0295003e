/** What is said of statements that cascade.strategy ordered does not carry out. */
import type { ErrorKind } from './error-kind.js';

export const ORDERED_ERRORS = {
  PGC_ORDERED: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade from {table} in several statements: {what} (cascade.strategy is ordered)',
    hint: 'Send the DELETE as a query of its own; on PostgreSQL cascade.strategy single carries it out as it is.',
  },
  PGC_ORDERED_KEYS: {
    sqlstate: '54000',
    message:
      'cannot cascade from {table} in several statements: the keys of its rows take more than 64 MiB (cascade.strategy is ordered)',
    hint: 'Delete fewer rows at a time; on PostgreSQL cascade.strategy single has no such limit.',
  },
} as const satisfies Record<string, ErrorKind>;
