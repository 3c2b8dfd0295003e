/**
 * The client's own DELETE or MERGE as a CTE that returns the columns of its rows that the plan needs:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     DELETE FROM users WHERE id = 1
 *     RETURNING users.id
 *     )
 *
 * The comments of render/ show operators and functions without their schema, and names without schema and quotes:
 * `d.pgc_c0 = r.author` is `d.pgc_c0 OPERATOR(pg_catalog.=) r."author"`. The whole statements are in test/plan.
 */
import { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import type { Deletion, Target } from '../../plan/plan.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { InTurn, Site } from '../../sql/statement/statement.js';
import { ownName, withOwnNames } from '../own-names.js';
import { type Edit, insertion, type Spliced, splice } from '../splice.js';
import { header } from './actions/deletions.js';
import { columnName, cteName, tableOf } from './actions/rows.js';

/** A DELETE or MERGE of the client's, with what it deletes from and its deletion in the plan. */
export interface Root {
  readonly site: InTurn<Site>;
  readonly target: Target;
  readonly deletion: Deletion;
}

/**
 * Splices, and gives the proxy's CTEs and columns names that nothing else in the statement has.
 * @param beside the columns of the tables that the statement writes to; isOpen: there may be others
 */
export function spliceNamed(
  text: string,
  edits: readonly Edit[],
  roots: readonly Root[],
  beside: { readonly columns: readonly string[]; readonly isOpen: boolean } = { columns: [], isOpen: false },
): Spliced {
  const columns = roots.flatMap(({ target }) => [...target.relation.columns, ...named(target).columns]);
  // The columns of a source that the DELETE joins are not known.
  const open = roots.some(
    ({ site: { returning } }) => returning !== undefined && returning.names === undefined,
  );
  const names = [...columns.map(({ name }) => name), ...beside.columns];
  return splice(text, withOwnNames(text, edits, names, open || beside.isOpen));
}

/** `pgc_a`: the column of a MERGE that says what became of a row. */
const ACTION = ownName('a');

/** The CTE of the client's own statement: `pgc_0`; or `pgc_m0`, where `pgc_0` is made of its rows (`deletedRowsCte`). */
export function bodyName(root: Root): string {
  return isDirect(root) ? cteName(root.deletion.id) : ownName(`m${root.deletion.id}`);
}

/** Whether the client's statement itself returns the deleted rows, no others, with all columns that the plan needs. */
export function isDirect(root: Root): boolean {
  return root.site.command === 'DELETE' && columnsBack(root) === root.deletion.returns;
}

/**
 * The columns that the client's own statement is made to return. Where it deletes from a view without all columns that the plan needs, these are
 * the primary key, by which `deletedRowsCte` looks up the others.
 * @throws ProxyError PGC_RELATION where the view does not show that either
 */
function columnsBack({ target, deletion }: Root): readonly string[] {
  const { view, relation } = target;
  if (view === undefined || deletion.returns.every((name) => view.columns.has(name))) return deletion.returns;
  const { primaryKey } = relation;
  if (primaryKey.length > 0 && primaryKey.every((name) => view.columns.has(name)) && !deletion.inherits)
    return primaryKey;
  const what = 'a view that does not show the primary key';
  throw new ProxyError('PGC_RELATION', { table: quoteRelation(view.relation), what });
}

/** The columns that the proxy adds before those of the client's RETURNING: `users.id`, and for a MERGE `merge_action()` first. */
export function addedColumns(root: Root): readonly string[] {
  const { site, target } = root;
  // With its schema the name means this table, whichever aliases the text has.
  const rows = site.isNamesake ? quoteRelation(named(target)) : site.alias;
  const keys = columnsBack(root).map(
    (name) => `${rows}.${quoteName(target.view?.columns.get(name) ?? name)}`,
  );
  return site.command === 'MERGE' ? ['merge_action()', ...keys] : keys;
}

export function addedNames(root: Root): readonly string[] {
  const keys = columnsBack(root).map((_, i) => columnName(i));
  return root.site.command === 'MERGE' ? [ACTION, ...keys] : keys;
}

/** `pgc_0 (pgc_c0) AS (`: the beginning of the CTE around the client's DELETE. */
export function rootHeader(root: Root, names: readonly string[] = []): string {
  return `${bodyName(root)} (${[...addedNames(root), ...names].join(', ')}) AS (`;
}

/**
 * Where the CTE of the client's statement does not have the deleted rows itself, a CTE that has them, else nothing. For a MERGE it has the rows that
 * the MERGE deleted; for a view the rows of its table, which this statement still sees as they were.
 *
 *     , pgc_0 (pgc_c0) AS (SELECT m.pgc_c0 FROM pgc_m0 AS m WHERE m.pgc_a = 'DELETE')
 *     , pgc_0 (pgc_c0) AS (SELECT b.email FROM pgc_m0 AS m JOIN ONLY users AS b ON b.id = m.pgc_c0)
 */
export function deletedRowsCte(root: Root): string {
  if (isDirect(root)) return '';
  const { target, deletion, site } = root;
  const back = columnsBack(root);
  const complete = back === deletion.returns;
  const columns = deletion.returns.map((name, i) =>
    complete ? `m.${columnName(i)}` : `b.${quoteName(name)}`,
  );
  const same = back.map((name, i) => `b.${quoteName(name)} OPERATOR(pg_catalog.=) m.${columnName(i)}`);
  const join = complete ? '' : ` JOIN ${tableOf(target.relation)} AS b ON ${same.join(' AND ')}`;
  const deleted = site.command === 'MERGE' ? ` WHERE m.${ACTION} OPERATOR(pg_catalog.=) 'DELETE'` : '';
  const rows = `SELECT ${columns.join(', ')} FROM ${bodyName(root)} AS m${join}${deleted}`;
  return `, ${header(cteName(deletion.id), deletion)} AS (${rows})`;
}

/** `pgc_x0`: a column of the client's own RETURNING, where it is read by name beside those of the proxy. */
export function clientName(index: number): string {
  return ownName(`x${index}`);
}

/** Adds the proxy's columns to a RETURNING, `users.id, ` before the client's own, or to a statement without one, `RETURNING users.id` at its end. */
export function returningEdits(root: Root): readonly Edit[] {
  const columns = addedColumns(root).join(', ');
  if (columns === '') return [];
  const { returning, end } = root.site;
  return returning ? [insertion(returning.list, `${columns}, `)] : [insertion(end, `\nRETURNING ${columns}`)];
}

/** The relation that the client's statement names. */
export function named({ relation, view }: Target): Relation {
  return view?.relation ?? relation;
}

/** `people`, or `ONLY users`: what the client's statement names, for another DELETE. */
export function namedTable(target: Target): string {
  return target.view ? quoteRelation(target.view.relation) : tableOf(target.relation);
}
