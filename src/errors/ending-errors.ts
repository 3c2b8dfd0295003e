/** What is said where a session ends, or none begins, as the proxy does. */
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
} as const satisfies Record<string, ErrorKind>;
