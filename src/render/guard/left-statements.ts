/** The follow-ups of a guarded statement: they carry out ON UPDATE of the keys that its rows have left, and look at what is left then. */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { acts } from '../../plan/leaving.js';
import type { UpdatePlan } from '../../plan/on-update.js';
import { quoteName } from '../../sql/names.js';
import { ownName } from '../own-names.js';
import { equals, isInKeyArray } from '../single/actions/match.js';
import { columnName, tableOf } from '../single/actions/rows.js';
import { ChangedByKey } from './changed-by-key.js';
import type { Checks } from './guard-checks.js';
import { isLateOnUpdate, LeftKeys } from './left-keys.js';

/** What ON UPDATE of a key does to rows of a relation. */
interface Followed {
  readonly relation: Relation;
  readonly action: 'on update cascade' | 'on update set null' | 'on update set default';
  /** The place of what is changed among the plan's `leaving`. */
  readonly by: number;
}

/** How many rows that were. */
export interface FollowedRows extends Followed {
  readonly rows: number;
}

/** A statement that is executed after the client's, in the same transaction. */
export interface FollowUp {
  readonly sql: string;
  /** What the last column of its row counts, in this order: numbers with commas between them. Empty where rows are not counted. */
  readonly counts: readonly Followed[];
}

export interface Statement {
  /** @param select gives the SELECT, of at least one column, with what counts the rows that the statement has changed, if it changes any */
  render(select: (count?: string) => string): string;
  /** What it does to rows; undefined where it looks at them. */
  readonly followed?: Followed;
  /** Where it hands on what keys these leave. */
  readonly handsTo?: LeftKeys | undefined;
}

/** The settings that are read and written in place of those of the rows themselves; literals. */
export interface Settings {
  readonly from?: string;
  readonly to?: string;
}

const [LEFT, CHANGED] = ['g', 'u'].map(ownName) as [string, string];

/** Each statement sees what those before it have done, so that one row may be changed by several. */
export class LeftStatements {
  /** What each of the plan's changes hands on; that of the client's statement is the first. */
  readonly left: readonly LeftKeys[];
  readonly #checks: Checks;
  readonly #isCircular: boolean;
  readonly #rows: readonly (ChangedByKey | undefined)[];

  constructor({ leaving: all, isCircular }: UpdatePlan, left: LeftKeys, checks: Checks) {
    this.#checks = checks;
    this.#isCircular = isCircular;
    const rows = all.slice(1).map(() => new ChangedByKey());
    this.#rows = [undefined, ...rows];
    this.left = [
      left,
      ...all.slice(1).map((leaving, i) => new LeftKeys(leaving, rows[i] ?? new ChangedByKey())),
    ];
  }

  /** What is done at once for rows that leave keys: for each from the oldest key on, and then what is looked at of their own. */
  actions(left: LeftKeys, settings: Settings = {}): readonly Statement[] {
    const { keys, written } = left.leaving;
    const atOnce = written.filter((key) => this.#isAtOnce(left, key));
    return [
      ...inTurns(keys).flatMap((each) => this.#inTurn(left, each, settings)),
      ...this.#looked(left, this.#newKeys(left, atOnce), settings),
    ];
  }

  /** What ON UPDATE may change, in the plan's order; of the client's own rows it is nothing. */
  get followed(): readonly Followed[] {
    return this.left.flatMap(({ leaving: { by, id } }) =>
      by ? [{ relation: by.key.referencing, action: `on update ${actionOf(by.key)}` as const, by: id }] : [],
    );
  }

  /** Empties the setting of the client's rows. */
  get reset(): string {
    return `pg_catalog.set_config(${this.left[0]?.setting}, '', true)`;
  }

  /** What is looked at when all is done: new keys, and what is deferred. */
  last(): readonly Statement[] {
    return this.left.flatMap((left) => [
      ...this.#looked(
        left,
        this.#newKeys(
          left,
          left.leaving.written.filter((key) => !this.#isAtOnce(left, key)),
        ),
      ),
      ...this.#looked(left, this.#referenced(left, left.leaving.keys.filter(isLateOnUpdate))),
    ]);
  }

  #inTurn(left: LeftKeys, keys: readonly ForeignKey[], settings: Settings): readonly Statement[] {
    const [key] = keys;
    const next = this.left.find(({ leaving: { by } }) => {
      return by?.key === key && (by?.above === undefined || by.above === left.leaving.id);
    });
    if (key === undefined || next === undefined)
      return this.#looked(left, this.#referenced(left, keys), settings);
    // SET DEFAULT may have set the key that was left (ri_set in ri_triggers.c).
    const again = key.onUpdate === 'set default' ? this.#referenced(left, [key]) : [];
    return [this.#acted(key, left, next, settings), ...this.#looked(left, again, settings)];
  }

  #referenced(left: LeftKeys, keys: readonly ForeignKey[]): readonly string[] {
    return keys.map((key) => left.isReferenced(key, this.#checks.add('left key', key)));
  }

  /**
   * Natively a new key is looked at after ON UPDATE was done for its own row, and so it is here where that matters: a later change may bring
   * the row that the key references. Where keys lead in no circle, all new keys can be looked at in the end.
   */
  #isAtOnce({ leaving }: LeftKeys, { deferred }: ForeignKey): boolean {
    return !deferred && (this.#isCircular || leaving.by === undefined);
  }

  #newKeys(left: LeftKeys, keys: readonly ForeignKey[]): readonly string[] {
    return keys.flatMap((key) => {
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
  #looked(left: LeftKeys, cases: readonly string[], { from }: Settings = {}): readonly Statement[] {
    if (cases.length === 0) return [];
    const looks = `(SELECT pg_catalog.count(*) FROM ${LEFT} AS n\nWHERE CASE ${cases.join('\n ')} ELSE true END) OPERATOR(pg_catalog.>=) 0`;
    return [{ render: (select) => `WITH ${read(left, from)}\n${select()}\nWHERE ${looks}` }];
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
  #acted(key: ForeignKey, left: LeftKeys, next: LeftKeys, { from, to }: Settings): Statement {
    const is = left.is(key);
    const act = actionOf(key);
    const sets = key.columns.map(({ referencing, referenced }) => {
      const value = {
        cascade: () => `g.${is(referenced)}`,
        'set null': () => 'NULL',
        'set default': () => 'DEFAULT',
      };
      return `${quoteName(referencing)} = ${value[act]()}`;
    });
    // By the keys' array: the planner expects so many of them that it would go through the whole table for a join.
    const among = isInKeyArray(key, 'r', { rows: LEFT, column: left.was(key) }, `d.${left.leaves(key)}`);
    const found = [`g.${left.leaves(key)}`, equals(key, 'g', left.was(key), 'r'), ...(among ? [among] : [])];
    const update = `UPDATE ${tableOf(key.referencing)} AS r SET ${sets.join(', ')}\nFROM ${LEFT} AS g WHERE ${found.join(' AND ')}`;
    const count = `(SELECT pg_catalog.count(*) FROM ${CHANGED})`;
    const followed: Followed = { relation: key.referencing, action: `on update ${act}`, by: next.leaving.id };
    const { keys, written } = next.leaving;
    const rows = this.#rows[next.leaving.id];
    if (rows === undefined || keys.length + written.length === 0)
      // The server executes a CTE that nothing reads from after the SELECT, which may empty the setting.
      return {
        followed,
        render: (select) =>
          `WITH ${read(left, from)},\n${CHANGED} AS (${update}\nRETURNING 1)\n${select(count)}\nWHERE ${count} OPERATOR(pg_catalog.>=) 0`,
      };
    const conditions = [...this.#stops(key, next), next.handsOn(CHANGED, to)];
    const returned = rows.returning;
    const header = rows.expressions.map((_, i) => columnName(i)).join(', ');
    return {
      followed,
      handsTo: next,
      render: (select) =>
        `WITH ${read(left, from)},\n${CHANGED} (${header}) AS (${update}\n${returned})\n${select(count)}\nWHERE ${conditions.join('\n AND ')}`,
    };
  }

  /** Conditions that fail for rows of which it cannot be done what their keys say. */
  #stops(key: ForeignKey, next: LeftKeys): readonly string[] {
    const { keys, relation } = next.leaving;
    const [first = key] = keys;
    const { isGarbled } = next;
    const cases = [isGarbled, next.areSeveral(CHANGED)].flatMap((each) =>
      each === undefined ? [] : [this.#checks.stop('referenced key', first, each, relation.oid)],
    );
    if (cases.length === 0) return [];
    return [
      `(SELECT pg_catalog.count(*) FROM ${CHANGED} AS n WHERE CASE ${cases.join('\n ')} ELSE true END) OPERATOR(pg_catalog.>=) 0`,
    ];
  }
}

/** `pgc_g (pgc_c0) AS MATERIALIZED (…)` */
function read(left: LeftKeys, from?: string): string {
  return `${LEFT} (${left.names}) AS MATERIALIZED (\n${left.renderRead(from)}\n)`;
}

/** What ON UPDATE of a key that acts does. */
function actionOf({ name, onUpdate }: ForeignKey): 'cascade' | 'set null' | 'set default' {
  if (onUpdate === 'no action' || onUpdate === 'restrict') throw new Error(`${name} does not act`);
  return onUpdate;
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
