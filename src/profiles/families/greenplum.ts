import type { Family } from './family.js';
import { POSTGRES } from './postgres.js';

/** Greenplum and what was made of it. Version 6 is PostgreSQL 9.4, whose catalog lacks what is asked; 7 is PostgreSQL 12. */
export const GREENPLUM: Family = {
  ...POSTGRES,
  name: 'greenplum',
  servers: ['Greenplum', 'Cloudberry', 'Greengage'],
  // D: Greenplum, version(): "PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:…)".
  signs: { words: /greenplum|cloudberry|greengage/i },
  // D: Greenplum, CREATE TABLE: REFERENCES is accepted, and "Referential integrity constraints are not enforced".
  keys: 'inert',
  graph: 'pg_constraint',
  strategy: 'ordered',
  reason: 'a statement there changes one table only: a DELETE may not have a WITH that changes another',
  // D: Greenplum 6 and 7, WITH queries, limitations: one changing command in the WITH of a SELECT, none in that of a DELETE.
  // RETURNING not on append-optimised tables.
  deletes: { using: true, returning: true, with: 'reads', recursive: true },
  transactions: { kind: 'full', endWithErrors: true, statusTells: true },
  // D: Greenplum, DELETE: locks the table EXCLUSIVE by default, so rows need no lock.
  lock: 'FOR UPDATE',
  locksTables: false,
  // D: Greenplum, system columns: a row is told by gp_segment_id and ctid together; each segment counts its own places.
  placesRepeat: true,
  differs:
    'keys are stored and never enforced. From version 7 on they are read, and performed unless `cascade.declared` is false; before, those of `relations` alone, in plain statements. Rows of a table without a primary key, or of partitions, are not taken: each segment counts their places anew',
  shown: 'a gate before PostgreSQL',
};
