/**
 * Keys that rows of a guarded statement have left, and what references them then. PostgreSQL looks for that behind the statement
 * and with a snapshot of its own (ri_restrict in ri_triggers.c), as it has waited for whoever had locked the rows. So does a
 * statement of the proxy's own behind the client's. It gets the keys by a setting, which is local to the transaction: no
 * statement can see what the one before it returned, nor a row as it was.
 */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { quoteLiteral } from '../../sql/names.js';
import { ownName, withOwnNames } from '../own-names.js';
import { insertion } from '../splice.js';
import { checkMarker } from '../violations.js';
import { equals, sameReferenced } from './actions/match.js';
import { columnName, tableOf } from './actions/rows.js';

/** The setting that hands the keys on. */
const SETTING = quoteLiteral('pgcascade.left');

/** A key that is looked at in the statement behind. */
export interface LeftKey {
  readonly key: ForeignKey;
  /** The number of its check among those of the statement. */
  readonly check: number;
}

/** A column of what is handed on. */
interface HandedOn {
  /** How it is called in the statement's own CTE, `n.pgc_c0`. */
  readonly value: string;
  /** The type that it is read as, with its schema. */
  readonly type: string;
}

/** What is handed on of each row. */
export class LeftKeys {
  readonly #columns: HandedOn[] = [];
  readonly #keys: readonly LeftKey[];
  readonly #relation: Relation;
  readonly #leaves: (key: ForeignKey) => string;
  readonly #places = new Map<ForeignKey, { readonly leaves: number; readonly old: readonly number[] }>();

  /**
   * @param relation what the statement names
   * @param leaves whether a row of the statement has left a key, `n.pgc_c2`
   * @param old a column of the row as it was, `n.pgc_c0`
   */
  constructor(
    relation: Relation,
    keys: readonly LeftKey[],
    leaves: (key: ForeignKey) => string,
    old: (column: string) => string,
  ) {
    this.#relation = relation;
    this.#keys = keys;
    this.#leaves = leaves;
    for (const { key } of keys)
      this.#places.set(key, {
        leaves: this.#add(leaves(key), 'pg_catalog.bool'),
        old: key.columns.map(({ referenced, type }) => this.#add(old(referenced), type)),
      });
  }

  /** Conditions, of a row `n` of the statement: it has left any key. */
  get leavesAny(): string {
    return [...new Set(this.#keys.map(({ key }) => this.#leaves(key)))].join(' OR ');
  }

  /**
   * A condition, of a row `n`: its keys do not read back as what they are, as some types under some settings (a float8 under
   * extra_float_digits = 0).
   *
   *     ROW(n.pgc_c0)::record *<> ROW((format('%s', n.pgc_c0))::float8)::record
   *
   * @returns undefined where all do
   */
  get isGarbled(): string | undefined {
    const values = this.#columns.filter(({ type }) => !EXACT.has(type));
    if (values.length === 0) return undefined;
    const row = (each: readonly string[]) => `ROW(${each.join(', ')})::pg_catalog.record`;
    const [as, back] = [
      row(values.map(({ value }) => value)),
      row(values.map(({ value, type }) => `(${textOf(value)})::${type}`)),
    ];
    return `${as} OPERATOR(pg_catalog.*<>) ${back}`;
  }

  /**
   * A condition that is true, and hands on the keys that rows have left:
   *
   *     (SELECT set_config('pgcascade.left', coalesce(json_agg(json_build_array(n.pgc_c2, …)), '[]')::text, true)
   *       FROM pgc_0 AS n WHERE n.pgc_c2) IS NOT NULL
   *
   * @param rows the statement's own CTE
   */
  handsOn(rows: string): string {
    const values = this.#columns.map(({ value, type }) =>
      type === 'pg_catalog.bool' ? value : textOf(value),
    );
    const all = `pg_catalog.json_agg(pg_catalog.json_build_array(${values.join(', ')}))::pg_catalog.text`;
    return (
      `(SELECT pg_catalog.set_config(${SETTING}, coalesce(${all}, '[]'), true)` +
      ` FROM ${rows} AS n WHERE ${this.leavesAny}) IS NOT NULL`
    );
  }

  /**
   * The statement behind, which fails with the marker of a key that is still referenced. PostgreSQL checks row by row, and the keys
   * of a row from the oldest on; those that are deferred behind all others.
   *
   *     WITH pgc_g (pgc_c0, pgc_c1) AS MATERIALIZED (
   *     SELECT (e.v ->> 0)::bool, (e.v ->> 1)::int4
   *     FROM json_array_elements((SELECT CASE WHEN length(s.left) > 0 THEN s.left ELSE '[]' END
   *       FROM (SELECT current_setting('pgcascade.left', true)) AS s (left))::json) AS e (v))
   *     SELECT set_config('pgcascade.left', '', true) WHERE (SELECT count(*) FROM pgc_g AS n WHERE CASE
   *      WHEN n.pgc_c0 AND EXISTS (SELECT FROM ONLY posts AS r WHERE n.pgc_c1 = r.author)
   *        AND NOT EXISTS (SELECT FROM ONLY users AS p WHERE p.id = n.pgc_c1) THEN (marker) ELSE true END) >= 0
   */
  renderBehind(): string {
    const rows = ownName('g');
    const read = this.#columns.map(({ type }, i) => `(e.v OPERATOR(pg_catalog.->>) ${i})::${type}`);
    const setting = `pg_catalog.current_setting(${SETTING}, true)`;
    const handed = `SELECT CASE WHEN pg_catalog.length(s.v) OPERATOR(pg_catalog.>) 0 THEN s.v ELSE '[]' END FROM (SELECT ${setting}) AS s (v)`;
    const isLate = ({ key }: LeftKey) => key.deferred && key.onUpdate !== 'restrict';
    const turns = [this.#keys.filter((each) => !isLate(each)), this.#keys.filter(isLate)];
    const conditions = turns
      .filter((keys) => keys.length > 0)
      .map((keys) => {
        const cases = keys.map((each) => this.#broken(each)).join('\n ');
        return `(SELECT pg_catalog.count(*) FROM ${rows} AS n WHERE CASE ${cases} ELSE true END) OPERATOR(pg_catalog.>=) 0`;
      });
    // In a CASE they are evaluated in their order.
    const [first = 'true', second = 'true'] = conditions;
    const sql =
      `WITH ${rows} (${this.#columns.map((_, i) => columnName(i)).join(', ')}) AS MATERIALIZED (\n` +
      `SELECT ${read.join(', ')}\nFROM pg_catalog.json_array_elements((${handed})::pg_catalog.json) AS e (v)\n)\n` +
      `SELECT pg_catalog.set_config(${SETTING}, '', true)\nWHERE CASE WHEN ${first}\n THEN ${second} END`;
    return withOwnNames('', [insertion(0, sql)], [], false)
      .map((edit) => edit.sql)
      .join('');
  }

  /** `WHEN n.pgc_c0 AND EXISTS (…) AND NOT EXISTS (…) THEN (marker)::int4 IS NULL` */
  #broken({ key, check }: LeftKey): string {
    const { leaves, old } = this.#places.get(key) ?? { leaves: -1, old: [] };
    const column = (name: string) =>
      columnName(old[key.columns.findIndex(({ referenced }) => referenced === name)] ?? -1);
    const referenced = `EXISTS (SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${equals(key, 'n', column, 'r')})`;
    // Another row may have got the key meanwhile (ri_Check_Pk_Match).
    const taken = `EXISTS (SELECT FROM ${tableOf(key.referenced)} AS p WHERE ${sameReferenced(key, 'p', 'n', column)})`;
    const conditions = [
      `n.${columnName(leaves)}`,
      referenced,
      ...(key.onUpdate === 'restrict' ? [] : [`NOT ${taken}`]),
    ];
    const values = old.map((place) => `n.${columnName(place)}`);
    const marker = checkMarker(check, String(this.#relation.oid), values);
    return `WHEN ${conditions.join(' AND ')} THEN ${marker}::pg_catalog.int4 IS NULL`;
  }

  #add(value: string, type: string): number {
    const at = this.#columns.findIndex((each) => each.value === value);
    return at < 0 ? this.#columns.push({ value, type }) - 1 : at;
  }
}

/** As the type's output function says it: a cast to text would cut the blanks of a bpchar. */
function textOf(value: string): string {
  return `CASE WHEN pg_catalog.num_nulls(${value}) OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format('%s', ${value}) END`;
}

/** Types whose values read back as what they were under all settings. */
const EXACT: ReadonlySet<string> = new Set(
  ['bool', 'int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bpchar', 'uuid'].map(
    (name) => `pg_catalog.${name}`,
  ),
);
