/**
 * Hands the keys that rows of a guarded statement have left on to its follow-ups, by a setting that is local to the transaction: no
 * statement can see what the one before it returned, nor a row as it was.
 */
import type { ForeignKey } from '../../graph/model.js';
import { acts, type Leaving } from '../../plan/leaving.js';
import { quoteLiteral, quoteName } from '../../sql/names.js';
import { equals, sameReferenced } from '../single/actions/match.js';
import { columnName, tableOf } from '../single/actions/rows.js';
import { checkMarker } from '../violations.js';

/** Columns of the rows `n` of a CTE that changes them, each as an expression: `n.pgc_c0`. */
export interface ChangedRows {
  /** Whether the row has left what a key references. */
  leaves(key: ForeignKey): string;
  /** A column as it was. */
  old(column: string): string;
  /** A column as it is. */
  of(column: string): string;
  /** Whether the row has another key than before; nothing where each has. */
  changed(key: ForeignKey): readonly string[];
}

interface HandedOn {
  readonly value: string;
  /** The type that it is read as, with its schema. */
  readonly type: string;
}

const BOOL = 'pg_catalog.bool';

/** What is handed on of the rows that may leave keys. */
export class LeftKeys {
  readonly leaving: Leaving;
  readonly #rows: ChangedRows;
  readonly #columns: HandedOn[] = [];

  constructor(leaving: Leaving, rows: ChangedRows) {
    this.leaving = leaving;
    this.#rows = rows;
    for (const key of leaving.keys) {
      this.leaves(key);
      for (const { referenced } of key.columns) this.#old(key, referenced);
      if (key.onUpdate === 'cascade') for (const { referenced } of key.columns) this.#new(key, referenced);
    }
    for (const key of leaving.written) this.#written(key);
  }

  /** A setting's name, as a literal. */
  get setting(): string {
    const { id } = this.leaving;
    return quoteLiteral(id === 0 ? 'pgcascade.left' : `pgcascade.left_${id}`);
  }

  /** `pgc_c0, pgc_c1`: the names of what is handed on, where it is read. */
  get names(): string {
    return this.#columns.map((_, i) => columnName(i)).join(', ');
  }

  /** A condition, of a row `n` that is changed: it has left any key. */
  get leavesAny(): string {
    const all = [...new Set(this.leaving.keys.map((key) => this.#rows.leaves(key)))];
    return all.length === 0 ? 'false' : `(${all.join(' OR ')})`;
  }

  /**
   * A condition, of a row `n` that is changed: what is handed on does not read back as what it is, as some types under some settings (a
   * float8 under extra_float_digits = 0).
   *
   *     (n.pgc_c1) AND ROW(n.pgc_c0)::record *<> ROW((format('%s', n.pgc_c0))::float8)::record
   *
   * @returns undefined where all does
   */
  get isGarbled(): string | undefined {
    const values = this.#columns.filter(({ type }) => !EXACT.has(type));
    if (values.length === 0) return undefined;
    const row = (each: readonly string[]) => `ROW(${each.join(', ')})::pg_catalog.record`;
    const as = row(values.map(({ value }) => value));
    const back = row(values.map(({ value, type }) => `(${textOf(value)})::${type}`));
    return `${this.#isHandedOn} AND ${as} OPERATOR(pg_catalog.*<>) ${back}`;
  }

  /**
   * A condition, of a row `n` that is changed: it is one of several that leave two keys which meet (Leaving.meeting), both of them left by some;
   * undefined where none meet.
   *
   *     ((n.pgc_c0 OR n.pgc_c2) AND (SELECT count(*) > 1 AND bool_or(n.pgc_c0) AND bool_or(n.pgc_c2) FROM pgc_0 AS n
   *       WHERE n.pgc_c0 OR n.pgc_c2))
   *
   * @param rows the CTE of the rows
   */
  areSeveral(rows: string): string | undefined {
    const pairs = this.leaving.meeting.map((pair) => {
      const each = [...new Set(pair.map((key) => this.#rows.leaves(key)))];
      const any = each.join(' OR ');
      const all = each.map((one) => ` AND pg_catalog.bool_or(${one})`).join('');
      return `((${any}) AND (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 1${all} FROM ${rows} AS n WHERE ${any}))`;
    });
    return pairs.length === 0 ? undefined : [...new Set(pairs)].join(' OR ');
  }

  /**
   * A condition that is true, and hands on the keys that rows have left:
   *
   *     (SELECT set_config('pgcascade.left', coalesce(json_agg(json_build_array(n.pgc_c2, …))::text, '[]'), true)
   *       FROM pgc_0 AS n WHERE (n.pgc_c2)) IS NOT NULL
   *
   * @param rows the CTE of the rows
   * @param setting a literal
   */
  handsOn(rows: string, setting = this.setting): string {
    const values = this.#columns.map(({ value, type }) => (type === BOOL ? value : textOf(value)));
    const all = `pg_catalog.json_agg(pg_catalog.json_build_array(${values.join(', ')}))::pg_catalog.text`;
    const set = `pg_catalog.set_config(${setting}, coalesce(${all}, '[]'), true)`;
    return `(SELECT ${set} FROM ${rows} AS n WHERE ${this.#isHandedOn}) IS NOT NULL`;
  }

  /**
   * The query of a CTE in a follow-up, with what was handed on:
   *
   *     SELECT (e.v ->> 0)::bool, (e.v ->> 1)::int4
   *     FROM json_array_elements((SELECT CASE WHEN length(s.v) > 0 THEN s.v ELSE '[]' END
   *       FROM (SELECT current_setting('pgcascade.left', true)) AS s (v))::json) AS e (v)
   *
   * @param from the setting, a literal
   */
  renderRead(from = this.setting): string {
    const read = this.#columns.map(({ type }, i) => `(e.v OPERATOR(pg_catalog.->>) ${i})::${type}`);
    const setting = `pg_catalog.current_setting(${from}, true)`;
    const handed = `SELECT CASE WHEN pg_catalog.length(s.v) OPERATOR(pg_catalog.>) 0 THEN s.v ELSE '[]' END FROM (SELECT ${setting}) AS s (v)`;
    return `SELECT ${read.join(', ')}\nFROM pg_catalog.json_array_elements((${handed})::pg_catalog.json) AS e (v)`;
  }

  /** `pgc_c0`: where it is read, whether the row has left what a key references. */
  leaves(key: ForeignKey): string {
    return this.#name(this.#rows.leaves(key), BOOL);
  }

  /** `pgc_c1`: where it is read, the name of a referenced column as it was, and as it is. */
  readonly was =
    (key: ForeignKey) =>
    (column: string): string =>
      this.#old(key, column);

  readonly is =
    (key: ForeignKey) =>
    (column: string): string =>
      this.#new(key, column);

  /**
   * `WHEN n.pgc_c0 AND EXISTS (SELECT FROM ONLY posts AS r WHERE n.pgc_c1 = r.author) AND NOT EXISTS (SELECT FROM ONLY users AS p
   * WHERE p.id = n.pgc_c1) THEN (marker)`, where it is read: the key is referenced, and no other row has got it meanwhile
   * (ri_Check_Pk_Match in ri_triggers.c).
   */
  isReferenced(key: ForeignKey, check: number): string {
    const was = this.was(key);
    const referenced = `EXISTS (SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${equals(key, 'n', was, 'r')})`;
    const taken = `EXISTS (SELECT FROM ${tableOf(key.referenced)} AS p WHERE ${sameReferenced(key, 'p', 'n', was)})`;
    const conditions = [
      `n.${this.leaves(key)}`,
      referenced,
      ...(key.onUpdate === 'restrict' ? [] : [`NOT ${taken}`]),
    ];
    const values = key.columns.map((column) => `n.${was(column.referenced)}`);
    const marker = checkMarker(check, String(this.leaving.relation.oid), values);
    return `WHEN ${conditions.join(' AND ')} THEN ${marker}::pg_catalog.int4 IS NULL`;
  }

  /** The same for a key that the row itself has got: `WHEN n.pgc_c2 IS NOT NULL AND NOT EXISTS (… FOR KEY SHARE OF p) THEN (marker)`. */
  isUnreferenced(key: ForeignKey, check: number, kind: 'new key' | 'mixed key'): string {
    const { table, values, column, changed } = this.#written(key);
    const nulls = values.map((value) => `${value} IS NULL`);
    const referenced = `SELECT FROM ${tableOf(key.referenced)} AS p WHERE ${equals(key, 'p', quoteName, 'n', column)} FOR KEY SHARE OF p`;
    const rule =
      kind === 'mixed key'
        ? [`(${nulls.join(' OR ')})`, `NOT (${nulls.join(' AND ')})`]
        : [...values.map((value) => `${value} IS NOT NULL`), `NOT EXISTS (${referenced})`];
    return `WHEN ${[...changed, ...this.#isThere(key, column), ...rule].join(' AND ')} THEN ${checkMarker(check, table, values)}::pg_catalog.int4 IS NULL`;
  }

  /** `EXISTS (SELECT FROM ONLY posts AS r WHERE …)`: no other key has changed it since. What a row has got by that one is looked at there. */
  #isThere({ columns, referencing }: ForeignKey, column: (referencing: string) => string): readonly string[] {
    if (!this.leaving.isShared) return [];
    const row = (each: readonly string[]) => `ROW(${each.join(', ')})::pg_catalog.record`;
    const now = row(columns.map((each) => `r.${quoteName(each.referencing)}`));
    const got = row(columns.map((each) => `n.${column(each.referencing)}`));
    return [`EXISTS (SELECT FROM ${tableOf(referencing)} AS r WHERE ${now} OPERATOR(pg_catalog.*=) ${got})`];
  }

  /** Of rows whose own keys have to be looked at, all that have got another one. */
  get #isHandedOn(): string {
    const changed = this.leaving.written.map((key) => this.#rows.changed(key).join(' AND '));
    if (changed.length === 0) return this.leavesAny;
    return changed.includes('') ? 'true' : `(${[this.leavesAny, ...new Set(changed)].join(' OR ')})`;
  }

  #old(key: ForeignKey, column: string): string {
    return this.#name(this.#rows.old(column), typeOf(key, column));
  }

  #new(key: ForeignKey, column: string): string {
    return this.#name(this.#rows.of(column), typeOf(key, column));
  }

  #written(key: ForeignKey) {
    const name = (column: string, type: string) => this.#name(this.#rows.of(column), type);
    const columns = new Map(
      key.columns.map(({ referencing, ownType }) => [referencing, name(referencing, ownType)]),
    );
    const { by, relation } = this.leaving;
    return {
      // A statement whose rows may leave keys writes into one table.
      table: by === undefined ? String(relation.oid) : `n.${name('tableoid', 'pg_catalog.oid')}`,
      changed: this.#rows.changed(key).map((each) => `n.${this.#name(each, BOOL)}`),
      values: [...columns.values()].map((each) => `n.${each}`),
      column: (referencing: string) => columns.get(referencing) ?? '',
    };
  }

  #name(value: string, type: string): string {
    const at = this.#columns.findIndex((each) => each.value === value);
    return columnName(at < 0 ? this.#columns.push({ value, type }) - 1 : at);
  }
}

/** The keys whose left rows are looked for, those that are checked at COMMIT natively apart. */
export function isLateOnUpdate(key: ForeignKey): boolean {
  return key.deferred && key.onUpdate !== 'restrict' && !acts(key);
}

function typeOf({ columns }: ForeignKey, name: string): string {
  return columns.find(({ referenced }) => referenced === name)?.type ?? 'pg_catalog.text';
}

/** As the type's output function says it: a cast to text would cut the blanks of a bpchar. */
function textOf(value: string): string {
  return `CASE WHEN pg_catalog.num_nulls(${value}) OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format('%s', ${value}) END`;
}

/** Types whose values read back as what they were under all settings. */
const EXACT: ReadonlySet<string> = new Set(
  ['bool', 'int2', 'int4', 'int8', 'numeric', 'oid', 'text', 'varchar', 'bpchar', 'uuid'].map(
    (name) => `pg_catalog.${name}`,
  ),
);
