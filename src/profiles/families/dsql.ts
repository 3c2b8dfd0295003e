import type { Family } from './family.js';
import { POSTGRES } from './postgres.js';

/** Amazon Aurora DSQL. */
export const DSQL: Family = {
  ...POSTGRES,
  name: 'dsql',
  servers: ['Aurora DSQL'],
  // D: Aurora DSQL, user guide: a cluster is reached at ID.dsql.REGION.on.aws.
  signs: { host: /\.dsql\.[a-z0-9-]+\.on\.aws(?::\d+)?$/i },
  // D: with all actions, since 2026-08-27; before, there were no foreign keys.
  keys: 'enforced',
  graph: 'pg_constraint',
  strategy: 'ordered',
  reason: 'a transaction there may change 3,000 rows, and one statement cannot be cut into several',
  // S: a DELETE in a WITH is parsed.
  deletes: { using: true, returning: true, with: 'writes', recursive: true },
  // D: unsupported PostgreSQL features: SAVEPOINT, TRUNCATE, LOCK.
  transactions: { kind: 'without savepoints', endWithErrors: true, statusTells: true },
  // D: quotas: 3,000 rows and 10 MiB a transaction, else 54000, from inside a cascade of its own too.
  limits: { rows: 3000, bytes: 10 * 1024 * 1024 },
  // D: concurrency control: FOR UPDATE, optimistic: the conflict comes at COMMIT.
  lock: 'FOR UPDATE',
  locksTables: false,
  // D: concurrency control: 40001, with OC000 for rows and OC001 for the schema in its text.
  retried: ['40001', 'OC000', 'OC001'],
  differs:
    'its own keys cascade; a transaction changes 3,000 rows at most, whoever cascades: `cascade.on_limit: batch` does a larger cascade [in batches](strategies.md#in-batches)',
  shown: 'a gate before PostgreSQL',
};
