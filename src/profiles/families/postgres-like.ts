import type { Family } from './family.js';
import { POSTGRES } from './postgres.js';

/**
 * Databases with PostgreSQL's grammar and catalog, and with cascades of their own. Neon and Aurora PostgreSQL call themselves
 * PostgreSQL, and are taken for it; YugabyteDB names itself.
 */
export const POSTGRES_LIKE: Family = {
  ...POSTGRES,
  name: 'postgres-like',
  servers: ['YugabyteDB'],
  // D: YugabyteDB, "PostgreSQL 15.2-YB-2.25.0.0-b0" in version() (2.25, and 11.2-YB before).
  signs: { words: /\d-YB-\d/ },
  keys: 'enforced',
  // D: YugabyteDB, PostgreSQL compatibility. Where the catalog does not know what it is asked, cascades are refused.
  graph: 'pg_constraint',
  strategy: 'single',
  // D: YugabyteDB, LOCK: ACCESS SHARE was the one mode that it had.
  locksTables: false,
  // D: YugabyteDB, transaction retries: 40001 and 40P01.
  retried: ['40001', '40P01'],
  // D: YugabyteDB, 'System column "ctid" is not supported yet'.
  differs:
    'where the order of actions matters, and in cycles, rows are told by their `ctid`, which YugabyteDB does not have: there it answers with an error of its own, and nothing is deleted',
  shown: 'documentation alone',
};

/** It reports PostgreSQL 13 as its version, and itself in a parameter of its own. */
export const COCKROACHDB: Family = {
  ...POSTGRES_LIKE,
  name: 'cockroachdb',
  servers: ['CockroachDB'],
  // S: cockroachdb, pkg/sql/pgwire: crdb_version is reported; version() says "CockroachDB CCL v23.1".
  signs: { parameter: 'crdb_version', words: /cockroach/i },
  // Its pg_constraint has the keys (S: pkg/sql/pg_catalog.go), but its rows have no xmin, by which changes are noticed.
  graph: 'configuration',
  strategy: 'none',
  reason: 'its catalog does not tell when it changes, and its own keys cascade',
  // D: CockroachDB, known limitations: several modifications of one table in a statement are disallowed.
  deletes: { using: true, returning: true, with: 'writes', recursive: true },
  // D: CockroachDB, transaction retry error reference.
  retried: ['40001'],
  differs: 'its own keys cascade; a cascade of pgcascade is refused',
};
