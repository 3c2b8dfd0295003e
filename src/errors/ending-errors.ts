/** What is said where the proxy ends a session, or begins none as it is going to end. */
import type { ErrorKind } from './error-kind.js';

export const ENDING_ERRORS = {
  PGC_SHUTDOWN: {
    sqlstate: '57P01',
    message: 'terminating connection because pgcascade is shutting down',
    hint: 'Connect again.',
  },
  PGC_RELOADED: {
    sqlstate: '57P01',
    message:
      'terminating connection because the rules of pgcascade have changed, and it is not known what this session has prepared',
    hint: 'Connect again.',
  },
  PGC_DRAINING: {
    sqlstate: '57P03',
    message: 'pgcascade is shutting down',
    hint: 'Connect again in a moment.',
  },
  PGC_IDLE: {
    sqlstate: '57P05',
    message: 'terminating connection due to idle-session timeout',
    hint: 'Connect again, or raise limits.idle_timeout.',
  },
  PGC_UPSTREAM_LOST: {
    sqlstate: '08006',
    message: 'the upstream server {upstream} closed the connection unexpectedly',
    hint: 'A transaction in progress was rolled back. Connect again.',
  },
  PGC_PROTOCOL: {
    sqlstate: '08P01',
    message: '{reason}',
    hint: 'The bytes received are not the PostgreSQL protocol; the connection is closed.',
  },
  PGC_MEMORY: {
    sqlstate: '53200',
    message:
      'out of memory: messages that are not whole take more than limits.message_bytes, and yours the most',
    hint: 'Send large amounts of data with COPY, which is passed on in pieces, or raise limits.message_bytes.',
  },
  PGC_INTERNAL: {
    sqlstate: 'XX000',
    message: 'pgcascade met an error of its own and closed the connection',
    hint: 'A transaction in progress was rolled back. Please report what its log says.',
  },
} as const satisfies Record<string, ErrorKind>;
