/** Rows of a guarded statement that leave what keys reference: what stops the statement, and those behind it that carry out ON UPDATE. */
import type { ForeignKey } from '../../graph/model.js';
import { acts, type UpdatePlan } from '../../plan/on-update.js';
import { quoteName } from '../../sql/names.js';
import { ownName, withNames } from '../own-names.js';
import { equals, isAmong } from '../single/actions/match.js';
import { columnName, tableOf } from '../single/actions/rows.js';
import { checkMarker } from '../violations.js';
import { type Guarded, leavesKey, type Returned } from './guarded.js';
import { type ChangedRows, isLateOnUpdate, LeftKeys } from './left-keys.js';

/**
 * Why a guarded statement stops itself: the number in its marker is the place of one of these in a list. `new key` and `mixed key`: a
 * row has got a key that references nothing, or is null in part. `left key`: a row has left a key that is still referenced.
 * `referenced key`: a row has left a key whose ON UPDATE cannot be carried out, or whose value cannot be handed on to the statements
 * behind. `old snapshot`: the transaction cannot see all rows that reference a left key. `deleted key`:
 * a row has got a key that references what the same statement deletes.
 */
export interface GuardCheck {
  readonly kind: 'new key' | 'mixed key' | 'left key' | 'referenced key' | 'old snapshot' | 'deleted key';
  readonly key: ForeignKey;
}

/** What there is to check of the keys that its rows leave, and the cases in which the statement stops itself for one. */
export interface Changes {
  readonly checks: readonly GuardCheck[];
  readonly cases: readonly string[];
  /** A condition that is true, and hands on the keys that are left. */
  readonly handsOn: readonly string[];
  /** The statements that have to be executed behind it, in their order. */
  readonly behind: readonly string[];
}

/** The statement behind would see what this one sees, and not a row that has come to reference a left key meanwhile. */
const KEEPS_SNAPSHOT = `pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) ANY (ARRAY['repeatable read', 'serializable'])`;

/** A row that leaves a refused key stops the statement; what rows leave of other keys is handed on to the statements behind. */
export function changesOf({ target: { relation }, changes }: Guarded, columns: Returned): Changes {
  const checks = new Checks();
  const cases = changes.refused.map((key) =>
    checks.stop('referenced key', key, columns.leaves(key), relation.oid),
  );
  const [own] = changes.leaving;
  const [first] = own?.keys ?? [];
  if (own === undefined || first === undefined) return { checks: checks.all, cases, handsOn: [], behind: [] };
  const left = new LeftKeys(own, columns);
  const behind = new Behind(changes, left, checks).render();
  const { isGarbled } = left;
  cases.push(
    checks.stop('old snapshot', first, `${left.leavesAny} AND ${KEEPS_SNAPSHOT}`, relation.oid),
    ...(isGarbled ? [checks.stop('referenced key', first, isGarbled, relation.oid)] : []),
    ...(own.isSingle
      ? [checks.stop('referenced key', first, left.areSeveral(columns.rows), relation.oid)]
      : []),
  );
  return { checks: checks.all, cases, handsOn: [left.handsOn(columns.rows)], behind };
}

class Checks {
  readonly all: GuardCheck[] = [];

  /** @returns its number */
  add(kind: GuardCheck['kind'], key: ForeignKey): number {
    return this.all.push({ kind, key }) - 1;
  }

  /** `WHEN … THEN (marker)`: a case that stops the statement. */
  stop(kind: GuardCheck['kind'], key: ForeignKey, when: string, oid: number): string {
    return `WHEN ${when} THEN ${checkMarker(this.add(kind, key), String(oid), [])}::pg_catalog.int4 IS NULL`;
  }
}

const [LEFT, CHANGED, OLD, NEW] = ['g', 'u', 'o', 'n'].map(ownName) as [string, string, string, string];

/** The statements behind: each sees what those before it have done, so that one row may be changed by several. */
class Behind {
  readonly #checks: Checks;
  /** What each of the plan's changes hands on; that of the client's statement is the first. */
  readonly #left: LeftKeys[];
  readonly #rows: (ChangedByKey | undefined)[] = [undefined];

  constructor({ leaving: all }: UpdatePlan, left: LeftKeys, checks: Checks) {
    this.#checks = checks;
    this.#left = [left];
    for (const leaving of all.slice(1)) {
      const rows = new ChangedByKey();
      this.#rows.push(rows);
      this.#left.push(new LeftKeys(leaving, rows));
    }
  }

  /** In PostgreSQL's order: level by level, and for each row from the oldest key on. What is deferred, and new keys, come last. */
  render(): readonly string[] {
    const statements = this.#left.flatMap((left) => [
      ...inTurns(left.leaving.keys).flatMap((keys) => this.#inTurn(left, keys)),
    ]);
    const last = this.#left.flatMap((left) => [
      ...this.#looked(left, this.#newKeys(left)),
      ...this.#looked(left, this.#referenced(left, left.leaving.keys.filter(isLateOnUpdate))),
    ]);
    const all = [...statements, ...last];
    const [own] = this.#left;
    const reset = `pg_catalog.set_config(${own?.setting}, '', true)`;
    return all.map((each, i) => withNames(each(i === all.length - 1 ? reset : 'true')));
  }

  #inTurn(left: LeftKeys, keys: readonly ForeignKey[]): readonly Statement[] {
    const [key] = keys;
    const next = this.#left.find(({ leaving: { by } }) => by?.key === key && by?.above === left.leaving.id);
    if (key === undefined || next === undefined) return this.#looked(left, this.#referenced(left, keys));
    // SET DEFAULT may have set the key that was left (ri_set in ri_triggers.c).
    const again = key.onUpdate === 'set default' ? this.#referenced(left, [key]) : [];
    return [this.#acted(key, left, next), ...this.#looked(left, again)];
  }

  #referenced(left: LeftKeys, keys: readonly ForeignKey[]): readonly string[] {
    return keys.map((key) => left.isReferenced(key, this.#checks.add('left key', key)));
  }

  #newKeys(left: LeftKeys): readonly string[] {
    return left.leaving.written.flatMap((key) => {
      const kinds =
        key.matchFull && key.columns.length > 1
          ? (['mixed key', 'new key'] as const)
          : (['new key'] as const);
      return kinds.map((kind) => left.isUnreferenced(key, this.#checks.add(kind, key), kind));
    });
  }

  /**
   * A statement that fails with the marker of a broken rule:
   *
   *     WITH pgc_g (pgc_c0, pgc_c1) AS MATERIALIZED (…)
   *     SELECT true
   *     WHERE (SELECT count(*) FROM pgc_g AS n WHERE CASE WHEN … THEN (marker) ELSE true END) >= 0
   */
  #looked(left: LeftKeys, cases: readonly string[]): readonly Statement[] {
    if (cases.length === 0) return [];
    const looks = `(SELECT pg_catalog.count(*) FROM ${LEFT} AS n\nWHERE CASE ${cases.join('\n ')} ELSE true END) OPERATOR(pg_catalog.>=) 0`;
    return [(result) => `WITH ${read(left)}\nSELECT ${result}\nWHERE ${looks}`];
  }

  /**
   * A statement that does what a key says of rows which reference a left one, and hands on what keys these leave themselves:
   *
   *     WITH pgc_g (pgc_c0, pgc_c1, pgc_c2) AS MATERIALIZED (…),
   *     pgc_u (pgc_c0, pgc_c1) AS (UPDATE ONLY posts AS r SET author = g.pgc_c2 FROM pgc_g AS g WHERE g.pgc_c0 AND g.pgc_c1 = r.author
   *       AND r.author = ANY (ARRAY(SELECT d.pgc_c1 FROM pgc_g AS d WHERE d.pgc_c0)) RETURNING WITH (OLD AS pgc_o, NEW AS pgc_n) …)
   *     SELECT true
   *     WHERE (SELECT set_config('pgcascade.left_1', …) FROM pgc_u AS n WHERE …) IS NOT NULL
   */
  #acted(key: ForeignKey, left: LeftKeys, next: LeftKeys): Statement {
    const is = left.is(key);
    const sets = key.columns.map(({ referencing, referenced }) => {
      const value = {
        cascade: () => `g.${is(referenced)}`,
        'set null': () => 'NULL',
        'set default': () => 'DEFAULT',
      };
      const act = key.onUpdate;
      return `${quoteName(referencing)} = ${act === 'cascade' || act === 'set null' || act === 'set default' ? value[act]() : ''}`;
    });
    // By the keys' array: the planner expects so many of them that it would go through the whole table for a join.
    const among = isAmong(key, 'r', { rows: LEFT, column: left.was(key) }, `d.${left.leaves(key)}`);
    const found = [`g.${left.leaves(key)}`, equals(key, 'g', left.was(key), 'r'), ...(among ? [among] : [])];
    const update = `UPDATE ${tableOf(key.referencing)} AS r SET ${sets.join(', ')}\nFROM ${LEFT} AS g WHERE ${found.join(' AND ')}`;
    const { keys, written } = next.leaving;
    const rows = this.#rows[next.leaving.id];
    if (rows === undefined || keys.length + written.length === 0)
      // What nobody reads from is executed behind the SELECT, which may empty the setting.
      return (result) =>
        `WITH ${read(left)},\n${CHANGED} AS (${update}\nRETURNING 1)\nSELECT ${result}\n` +
        `WHERE (SELECT pg_catalog.count(*) FROM ${CHANGED}) OPERATOR(pg_catalog.>=) 0`;
    const conditions = [...this.#stops(key, next), next.handsOn(CHANGED)];
    const returned = `RETURNING WITH (OLD AS ${OLD}, NEW AS ${NEW}) ${rows.expressions.join(', ')}`;
    const header = rows.expressions.map((_, i) => columnName(i)).join(', ');
    return (result) =>
      `WITH ${read(left)},\n${CHANGED} (${header}) AS (${update}\n${returned})\nSELECT ${result}\nWHERE ${conditions.join('\n AND ')}`;
  }

  /** Conditions that fail for rows of which it cannot be done what their keys say. */
  #stops(key: ForeignKey, next: LeftKeys): readonly string[] {
    const { keys, relation, isSingle } = next.leaving;
    const [first = key] = keys;
    const { isGarbled } = next;
    const cases = [...(isGarbled ? [isGarbled] : []), ...(isSingle ? [next.areSeveral(CHANGED)] : [])].map(
      (each) => this.#checks.stop('referenced key', first, each, relation.oid),
    );
    if (cases.length === 0) return [];
    return [
      `(SELECT pg_catalog.count(*) FROM ${CHANGED} AS n WHERE CASE ${cases.join('\n ')} ELSE true END) OPERATOR(pg_catalog.>=) 0`,
    ];
  }
}

/** A statement, by what it selects. */
type Statement = (result: string) => string;

/** What rows return that are changed by a key's ON UPDATE. */
class ChangedByKey implements ChangedRows {
  readonly expressions: string[] = [];

  leaves({ columns }: ForeignKey): string {
    return this.#return(leavesKey(columns, OLD, NEW));
  }

  old(column: string): string {
    return this.#return(`${OLD}.${quoteName(column)}`);
  }

  of(column: string): string {
    return this.#return(`${NEW}.${quoteName(column)}`);
  }

  #return(expression: string): string {
    const at = this.expressions.indexOf(expression);
    return `n.${columnName(at < 0 ? this.expressions.push(expression) - 1 : at)}`;
  }
}

/** `pgc_g (pgc_c0) AS MATERIALIZED (…)` */
function read(left: LeftKeys): string {
  return `${LEFT} (${left.names}) AS MATERIALIZED (\n${left.renderRead()}\n)`;
}

/** Keys one after the other; those that are only looked for together. What is deferred comes later. */
function inTurns(keys: readonly ForeignKey[]): readonly (readonly ForeignKey[])[] {
  const turns: ForeignKey[][] = [];
  for (const key of keys.filter((each) => !isLateOnUpdate(each))) {
    const before = turns.at(-1);
    const isAlike = before?.[0] !== undefined && !acts(key) && !acts(before[0]);
    if (isAlike) before.push(key);
    else turns.push([key]);
  }
  return turns;
}
