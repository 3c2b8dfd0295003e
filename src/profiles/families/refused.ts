/** Servers that are recognised by name, and to which no cascade will be sent: a DELETE there cannot be part of a whole. */
import type { Family } from './family.js';
import { UNKNOWN } from './unknown.js';

/** What the files have in common: nothing but the sign, the reason and what is known of keys is read of them. */
function refused(name: string, words: RegExp, reason: string): Family {
  return {
    ...UNKNOWN,
    name: name.toLowerCase(),
    servers: [name],
    signs: { words },
    reason,
    differs: reason,
    shown: 'documentation alone',
  };
}

export const REFUSED: readonly Family[] = [
  // D: RisingWave, transactions: BEGIN starts none unless READ ONLY, and changes are not allowed in one.
  refused('RisingWave', /risingwave/i, 'it has no transactions that write'),
  // D: Materialize, DELETE, known limitations: "DELETE cannot be used inside transactions".
  refused('Materialize', /materialize/i, 'a DELETE there may not stand in a transaction'),
  // D: QuestDB, data retention: rows go with their partitions (DROP PARTITION); there is no DELETE.
  refused('QuestDB', /questdb/i, 'it has no DELETE'),
  // D: GaussDB, UGO U0000002: "GaussDB Distributed does not support foreign key constraints"; 0A000.
  refused('GaussDB', /gaussdb/i, 'nobody has found out yet what one transaction may delete there'),
  // D: Hologres, BEGIN: "can be used with only data definition language (DDL) statements".
  refused('Hologres', /hologres/i, 'its transactions hold no DELETE'),
  refused('SingleStore', /singlestore/i, 'nobody has found out yet what one transaction may delete there'),
];
