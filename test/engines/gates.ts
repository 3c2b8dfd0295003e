/** The gates: what each family refuses, and what it says of itself. */
import type { GateOptions } from './gate.js';
import {
  CITUS_RULES,
  CRATEDB_RULES,
  DSQL_RULES,
  GREENPLUM_6_RULES,
  GREENPLUM_7_RULES,
  REDSHIFT_RULES,
} from './rules.js';

export const GATES = {
  redshift: {
    rules: REDSHIFT_RULES,
    parameters: { server_version: '8.0.2' },
    deletesWithoutFrom: true,
    version:
      'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.12103',
  },
  greenplum6: {
    rules: GREENPLUM_6_RULES,
    parameters: { server_version: '9.4.26' },
    version: 'PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:x) on x86_64',
  },
  greenplum7: {
    rules: GREENPLUM_7_RULES,
    parameters: { server_version: '12.12' },
    version: 'PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:x) on x86_64',
  },
  cratedb: {
    rules: CRATEDB_RULES,
    parameters: { server_version: '14.0', crate_version: '5.9.1' },
    ignoresTransactions: true,
  },
  dsql: { rules: DSQL_RULES },
  citus: { rules: CITUS_RULES },
} satisfies Readonly<Record<string, GateOptions>>;
