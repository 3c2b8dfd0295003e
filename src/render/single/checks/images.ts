/**
 * Images of rows that SET keys change: subqueries with the new keys of these rows, and the places of the rows that they referenced before. A
 * row that PostgreSQL would change first and delete later also has an image here, although the proxy's statement only deletes it.
 */
import type { ForeignKey } from '../../../graph/model.js';
import { setsConstants } from '../../../plan/conflicts.js';
import type { Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import { type Defaulted, defaultedBy, ROW_TABLEOID } from '../actions/changes.js';
import { equals } from '../actions/match.js';
import { deletedRows, isDeletedBy, tableOf } from '../actions/rows.js';

export interface Image extends Defaulted {
  /** Whether none of its rows is deleted, all are, or some may be. In the last two cases it also has ROW_TABLEOID and ROW_CTID. */
  readonly fate: 'stays' | 'deleted' | 'either';
}

/** `pgc_p`: the column with the ctid of the row that was changed. */
export const ROW_CTID = ownName('p');

/**
 * The images of the rows that a SET key changes.
 * @param by the SET key. For rows that SET DEFAULT changes and nothing deletes, the image is what its UPDATE returned
 * @param key the key whose columns the images have
 * @param within the object ids of the relations whose rows the images have; undefined for all
 */
export function imagesOf(
  plan: Plan,
  change: number,
  by: ForeignKey,
  key: ForeignKey,
  within: readonly number[] | undefined,
): readonly Image[] {
  const made = plan.changes[change];
  if (made === undefined) return [];
  if (by.action === 'set null') return [among(image(plan, by, key, 'either'), within)];
  const given = defaultedBy(made, change, by).map((each): Image => ({ ...each, fate: 'stays' }));
  const going = mayBeDeleted(plan, by) && setsConstants(by) ? [image(plan, by, key, 'deleted')] : [];
  return [...given, ...going].map((each) => among(each, within));
}

/**
 * The image of all rows that SET DEFAULT finds, computed from the defaults and not read from the UPDATE; undefined where a default is no
 * constant, as only the server can compute that. A row that is neither updated (a trigger may have prevented it) nor deleted is left out.
 *
 *     (SELECT g.* FROM (SELECT r.tableoid AS pgc_w, r.ctid AS pgc_p, (0)::int4 AS author, d.pgc_c1 AS pgc_o, d.pgc_c2 AS pgc_t
 *         FROM pgc_0 AS d JOIN ONLY posts AS r ON d.pgc_c0 = r.author) AS g
 *       WHERE EXISTS (SELECT FROM pgc_u0_0 AS v WHERE v.pgc_w = g.pgc_w AND v.pgc_o0 = g.pgc_o AND v.pgc_t0 = g.pgc_t))
 */
export function predictedImage(
  plan: Plan,
  change: number,
  by: ForeignKey,
  key: ForeignKey,
  within: readonly number[] | undefined,
): Image | undefined {
  const made = plan.changes[change];
  if (made === undefined || by.action === 'set null') return undefined;
  const unknown = made.keys.some(
    (other) =>
      !setsConstants(other) &&
      other.action !== 'set null' &&
      key.columns.some(({ referencing }) => other.setColumns.includes(referencing)),
  );
  if (unknown) return undefined;
  const all = image(plan, by, key, 'either');
  const changed = defaultedBy(made, change, by).map(
    (given) =>
      `EXISTS (SELECT FROM ${given.rows} AS v WHERE v.${ROW_TABLEOID} OPERATOR(pg_catalog.=) g.${ROW_TABLEOID}` +
      ` AND v.${given.tableoid} OPERATOR(pg_catalog.=) g.${all.tableoid} AND v.${given.ctid} OPERATOR(pg_catalog.=) g.${all.ctid})`,
  );
  const place = `r.tableoid OPERATOR(pg_catalog.=) g.${ROW_TABLEOID} AND r.ctid OPERATOR(pg_catalog.=) g.${ROW_CTID}`;
  if (mayBeDeleted(plan, by))
    changed.push(
      `EXISTS (SELECT FROM ${tableOf(by.referencing)} AS r WHERE ${place} AND ${isDeleted(plan, by, 'r')})`,
    );
  return among({ ...all, rows: `(SELECT g.* FROM ${all.rows} AS g WHERE ${changed.join(' OR ')})` }, within);
}

/** Whether the statement may delete a row that the key changes. */
export function mayBeDeleted(plan: Plan, { referencing }: ForeignKey): boolean {
  return (plan.overlaps.get(referencing) ?? []).some((id) => plan.deletions[id]?.origin === 'key');
}

/** A condition: some deletion of the plan deletes `row`. `(EXISTS (SELECT FROM pgc_2 AS g WHERE g.pgc_c0 = r.id))` */
export function isDeleted(plan: Plan, { referencing }: ForeignKey, row: string): string {
  const all = (plan.overlaps.get(referencing) ?? []).flatMap((id) => plan.deletions[id] ?? []);
  return `(${all.map((deletion) => isDeletedBy(referencing, deletion, row)).join(' OR ')})`;
}

/**
 * The rows that the SET key `by` finds, with the values that it gives to the columns of `key`:
 *
 *     (SELECT r.tableoid AS pgc_w, r.ctid AS pgc_p, (0)::int4 AS author, d.pgc_c1 AS pgc_o, d.pgc_c2 AS pgc_t
 *       FROM pgc_0 AS d JOIN ONLY posts AS r ON d.pgc_c0 = r.author)
 */
function image(plan: Plan, by: ForeignKey, key: ForeignKey, fate: Image['fate']): Image {
  const { rows, column } = deletedRows(plan, by.referenced);
  const columns = key.columns.map(
    ({ referencing }) => `${newValue(by, referencing)} AS ${quoteName(referencing)}`,
  );
  const [tableoid, ctid] = [ownName('o'), ownName('t')];
  const place = `d.${column('tableoid')} AS ${tableoid}, d.${column('ctid')} AS ${ctid}`;
  const condition = fate === 'deleted' ? ` WHERE ${isDeleted(plan, by, 'r')}` : '';
  const pairs = `${rows} AS d JOIN ${tableOf(by.referencing)} AS r ON ${equals(by, 'd', column, 'r')}`;
  const list = [`r.tableoid AS ${ROW_TABLEOID}`, `r.ctid AS ${ROW_CTID}`, ...columns, place].join(', ');
  return { rows: `(SELECT ${list} FROM ${pairs}${condition})`, tableoid, ctid, fate };
}

/**
 * What a SET NULL key, or a SET DEFAULT key with constants, makes of a column of `r`: `(0)::int4`, or the NULL
 * `CASE WHEN false THEN r.number END`.
 */
export function newValue({ action, referencing, setColumns }: ForeignKey, name: string): string {
  const own = `r.${quoteName(name)}`;
  if (!setColumns.includes(name)) return own;
  const constant = referencing.columns.find((each) => each.name === name)?.constant;
  // A NULL that has the column's type.
  return action === 'set null' || constant === 'NULL' ? `CASE WHEN false THEN ${own} END` : (constant ?? own);
}

/** The rows of an image that are in these relations: `(SELECT g.* FROM … AS g WHERE g.pgc_w = ANY (ARRAY[16385]::oid[]))`. */
function among(given: Image, within: readonly number[] | undefined): Image {
  if (within === undefined) return given;
  const condition = `g.${ROW_TABLEOID} OPERATOR(pg_catalog.=) ANY (ARRAY[${within.join(', ')}]::pg_catalog.oid[])`;
  return { ...given, rows: `(SELECT g.* FROM ${given.rows} AS g WHERE ${condition})` };
}
