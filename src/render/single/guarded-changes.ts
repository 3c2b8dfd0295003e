/** What a guarded statement does to what keys reference: what stops it, and what is looked at behind it. */
import type { ForeignKey } from '../../graph/model.js';
import { checkMarker } from '../violations.js';
import type { Guarded, Returned } from './guarded.js';
import { LeftKeys } from './left-keys.js';

/**
 * What a marker's number stands for, whose place is that in the list. `left key`: one that a row has left is referenced. `referenced
 * key`: nobody does what the key says of one that is left, or it cannot be handed on. `old snapshot`: who references a left one
 * cannot be seen.
 */
export interface GuardCheck {
  readonly kind: 'new key' | 'mixed key' | 'left key' | 'referenced key' | 'old snapshot';
  readonly key: ForeignKey;
}

/** What there is to check of the keys that its rows leave, and the cases in which the statement stops itself for one. */
export interface Changes {
  readonly checks: readonly GuardCheck[];
  readonly cases: readonly string[];
  /** Those that are looked at behind it. */
  readonly left: LeftKeys | undefined;
}

/** Keys of whose ON UPDATE the proxy does nothing stop the statement; those of the others are handed on, if they can be. */
export function changesOf(guarded: Guarded, columns: Returned): Changes {
  const { relation, referenced } = guarded;
  const checks: GuardCheck[] = [];
  const cases: string[] = [];
  const add = (kind: GuardCheck['kind'], key: ForeignKey) => checks.push({ kind, key }) - 1;
  const stop = (kind: GuardCheck['kind'], key: ForeignKey, when: string) => {
    const marker = checkMarker(add(kind, key), String(relation.oid), []);
    cases.push(`WHEN ${when} THEN ${marker}::pg_catalog.int4 IS NULL`);
  };
  for (const key of referenced)
    if (!CHECKED.has(key.onUpdate)) stop('referenced key', key, columns.leaves(key));
  const checked = referenced.filter(({ onUpdate }) => CHECKED.has(onUpdate));
  const [first] = checked;
  if (first === undefined) return { checks, cases, left: undefined };
  const keys = checked.map((key) => ({ key, check: add('left key', key) }));
  const left = new LeftKeys(
    relation,
    keys,
    (key) => columns.leaves(key),
    (column) => columns.old(column),
  );
  const { leavesAny, isGarbled } = left;
  stop('old snapshot', first, `(${leavesAny}) AND ${KEEPS_SNAPSHOT}`);
  if (isGarbled !== undefined) stop('referenced key', first, `(${leavesAny}) AND ${isGarbled}`);
  return { checks, cases, left };
}

const CHECKED: ReadonlySet<ForeignKey['onUpdate']> = new Set(['no action', 'restrict']);

/** The statement behind would see what this one sees, and not a row that has come to reference a left key meanwhile. */
const KEEPS_SNAPSHOT = `pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) ANY (ARRAY['repeatable read', 'serializable'])`;
