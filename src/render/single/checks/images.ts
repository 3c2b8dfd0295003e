/**
 * Images of rows that SET keys change: the new keys, and the places of the rows that they referenced before. Of a row that is
 * deleted later there is the image that it would have had.
 */
import type { ForeignKey } from '../../../graph/model.js';
import { setsConstants } from '../../../plan/conflicts.js';
import type { Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import { type Given, givenBy, WITHIN } from '../actions/changes.js';
import { equals } from '../actions/match.js';
import { deletedRows, isAmong, tableOf } from '../actions/rows.js';

export interface Image extends Given {
  /** Whether all of its rows stay, all are deleted later, or some are. In the last two cases it has the places of the rows themselves. */
  readonly fate: 'stays' | 'goes' | 'either';
}

/** `pgc_p`: the ctid of the row itself. */
export const OWN_PLACE = ownName('p');

/**
 * The images of the rows that a SET key changes.
 * @param by the SET key; the images that SET DEFAULT gives to rows that stay are what its UPDATE returned
 * @param key whose columns are wanted
 * @param within the object ids of the relations whose rows are wanted, where not of all
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
  const given = givenBy(made, change, by).map((each): Image => ({ ...each, fate: 'stays' }));
  const going = mayGo(plan, by) && setsConstants(by) ? [image(plan, by, key, 'goes')] : [];
  return [...given, ...going].map((each) => among(each, within));
}

/**
 * All rows that SET DEFAULT with constants finds, with their places and their new keys; undefined where only the server knows
 * the new keys. A trigger may have kept the UPDATE from changing a row: rows that stay and were not changed are left out.
 *
 *     (SELECT g.* FROM (SELECT r.tableoid AS pgc_w, r.ctid AS pgc_p, (0)::int4 AS author, d.pgc_c1 AS pgc_o, d.pgc_c2 AS pgc_t
 *         FROM pgc_0 AS d JOIN ONLY posts AS r ON d.pgc_c0 = r.author) AS g
 *       WHERE EXISTS (SELECT FROM pgc_u0_0 AS v WHERE v.pgc_w = g.pgc_w AND v.pgc_o0 = g.pgc_o AND v.pgc_t0 = g.pgc_t))
 */
export function imageBefore(
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
  const changed = givenBy(made, change, by).map(
    (given) =>
      `EXISTS (SELECT FROM ${given.rows} AS v WHERE v.${WITHIN} OPERATOR(pg_catalog.=) g.${WITHIN}` +
      ` AND v.${given.tableoid} OPERATOR(pg_catalog.=) g.${all.tableoid} AND v.${given.ctid} OPERATOR(pg_catalog.=) g.${all.ctid})`,
  );
  const place = `r.tableoid OPERATOR(pg_catalog.=) g.${WITHIN} AND r.ctid OPERATOR(pg_catalog.=) g.${OWN_PLACE}`;
  if (mayGo(plan, by))
    changed.push(
      `EXISTS (SELECT FROM ${tableOf(by.referencing)} AS r WHERE ${place} AND ${goes(plan, by, 'r')})`,
    );
  return among({ ...all, rows: `(SELECT g.* FROM ${all.rows} AS g WHERE ${changed.join(' OR ')})` }, within);
}

/** Whether a row that the key changes may be deleted later. */
export function mayGo(plan: Plan, { referencing }: ForeignKey): boolean {
  return (plan.overlaps.get(referencing) ?? []).some((id) => plan.deletions[id]?.origin === 'key');
}

/** A condition: some deletion takes `row`. `(EXISTS (SELECT FROM pgc_2 AS g WHERE g.pgc_c0 = r.id))` */
export function goes(plan: Plan, { referencing }: ForeignKey, row: string): string {
  const all = (plan.overlaps.get(referencing) ?? []).flatMap((id) => plan.deletions[id] ?? []);
  return `(${all.map((deletion) => isAmong(referencing, deletion, row)).join(' OR ')})`;
}

/**
 * The rows that the key finds, with what it makes of the columns of another key, or of its own:
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
  const condition = fate === 'goes' ? ` WHERE ${goes(plan, by, 'r')}` : '';
  const pairs = `${rows} AS d JOIN ${tableOf(by.referencing)} AS r ON ${equals(by, 'd', column, 'r')}`;
  const list = [`r.tableoid AS ${WITHIN}`, `r.ctid AS ${OWN_PLACE}`, ...columns, place].join(', ');
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

/** Of an image the rows that these relations hold: `(SELECT g.* FROM … AS g WHERE g.pgc_w = ANY (ARRAY[16385]::oid[]))`. */
function among(given: Image, within: readonly number[] | undefined): Image {
  if (within === undefined) return given;
  const condition = `g.${WITHIN} OPERATOR(pg_catalog.=) ANY (ARRAY[${within.join(', ')}]::pg_catalog.oid[])`;
  return { ...given, rows: `(SELECT g.* FROM ${given.rows} AS g WHERE ${condition})` };
}
