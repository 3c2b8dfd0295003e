import { CITUS } from './citus.js';
import { CRATEDB } from './cratedb.js';
import { DSQL } from './dsql.js';
import { DUCKDB } from './duckdb.js';
import type { Family } from './family.js';
import { GREENPLUM } from './greenplum.js';
import { H2 } from './h2.js';
import { POSTGRES } from './postgres.js';
import { COCKROACHDB, POSTGRES_LIKE } from './postgres-like.js';
import { REDSHIFT } from './redshift.js';
import { REFUSED } from './refused.js';
import { SQLITE } from './sqlite.js';
import { UNKNOWN } from './unknown.js';

/** All families, as docs/databases.md lists them. */
export const FAMILIES: readonly Family[] = [
  POSTGRES,
  POSTGRES_LIKE,
  DSQL,
  CITUS,
  GREENPLUM,
  REDSHIFT,
  DUCKDB,
  H2,
  SQLITE,
  CRATEDB,
  COCKROACHDB,
  ...REFUSED,
  UNKNOWN,
];

/** The names that `profile` takes in the configuration: not those of families to which no cascade is sent. */
export const CHOSEN_NAMES = [
  'postgres',
  'postgres-like',
  'dsql',
  'redshift',
  'greenplum',
  'citus',
  'duckdb',
  'cratedb',
  'h2',
  'sqlite',
] as const;
