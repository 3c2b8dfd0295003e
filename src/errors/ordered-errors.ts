/** What is said of statements that cascade.strategy ordered does not carry out. */
import type { ErrorKind } from './error-kind.js';

export const ORDERED_ERRORS = {
  PGC_ORDERED: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade from {table} in several statements: {what} (cascade.strategy is ordered)',
    hint: 'Set cascade.strategy to single, or send a plain DELETE from the table, as a statement of its own.',
  },
  PGC_ORDERED_KEYS: {
    sqlstate: '54000',
    message:
      'cannot cascade from {table} in several statements: the keys of its rows take more than 64 MiB (cascade.strategy is ordered)',
    hint: 'Delete fewer rows at a time, or set cascade.strategy to single.',
  },
  PGC_ORDERED_KEPT: {
    sqlstate: '0A000',
    message:
      'cannot cascade from {table} in several statements: a BEFORE DELETE trigger kept a row whose dependent rows were deleted before it (cascade.strategy is ordered)',
    hint: 'Set cascade.strategy to single, by which rows are deleted before those that depend on them.',
  },
} as const satisfies Record<string, ErrorKind>;
