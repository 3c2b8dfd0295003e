import type { Family } from './family.js';
import { POSTGRES } from './postgres.js';

/** PostgreSQL with the extension Citus, which cuts tables into shards. */
export const CITUS: Family = {
  ...POSTGRES,
  name: 'citus',
  servers: ['Citus'],
  // S: citus, shared_library_init.c defines the setting, which cannot be changed.
  signs: { setting: 'citus.version' },
  // S: citus, foreign_constraint.c: between colocated tables with the distribution column, or to a reference table; else 0A000.
  keys: 'enforced',
  graph: 'pg_constraint',
  // The ordered sequence locks rows and follows cycles by a recursive WITH, neither of which is certain here.
  strategy: 'none',
  reason: 'a WITH that changes rows may not concern several shards',
  // S: citus, multi_router_planner.c: data-modifying statements in the WITH clauses of distributed queries are refused; a
  // recursive one needs a filter on the distribution column.
  deletes: { using: true, returning: true, with: 'reads', recursive: false },
  // S: FOR UPDATE only where one shard is read.
  lock: 'not known',
  locksTables: false,
  differs:
    'its own keys cascade; with local tables alone, `profile: postgres` sends cascades as to PostgreSQL',
  shown: 'a gate before PostgreSQL',
};
