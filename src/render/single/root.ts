/**
 * The client's own DELETE or MERGE as a CTE that returns what the plan has to know of its rows:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     DELETE FROM users WHERE id = 1
 *     RETURNING users.id
 *     )
 *
 * Here, and above every function that writes SQL, operators stand without their schema and names without quotes:
 * `d.pgc_c0 = r.author` for `d.pgc_c0 OPERATOR(pg_catalog.=) r."author"`. The whole statements are in test/plan.
 */
import { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import type { Deletion, Target } from '../../plan/plan.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { Site } from '../../sql/statement/statement.js';
import { ownName, withOwnNames } from '../own-names.js';
import { type Edit, insertion, type Spliced, splice } from '../splice.js';
import { header } from './actions/deletions.js';
import { columnName, cteName, tableOf } from './actions/rows.js';

/** What a client's DELETE or MERGE became. */
export interface Root {
  readonly site: Site;
  readonly target: Target;
  readonly deletion: Deletion;
}

/** Splices, under names for the statement's own CTEs and columns that nothing in it has. */
export function spliceNamed(text: string, edits: readonly Edit[], roots: readonly Root[]): Spliced {
  const columns = roots.flatMap(({ target }) => [...target.relation.columns, ...named(target).columns]);
  // The columns of a source that the DELETE joins are not known.
  const open = roots.some(
    ({ site: { returning } }) => returning !== undefined && returning.names === undefined,
  );
  const names = columns.map(({ name }) => name);
  return splice(text, withOwnNames(text, edits, names, open));
}

/** The column of a MERGE that says what became of a row. */
const ACTION = ownName('a');

/** Whose rows tell what was affected: a MERGE does more than delete, and a view does not show all columns. */
export function bodyName(root: Root): string {
  return isDirect(root) ? cteName(root.deletion.id) : ownName(`m${root.deletion.id}`);
}

/** What is deleted comes back with all columns that the plan has to know. */
export function isDirect(root: Root): boolean {
  return root.site.command === 'DELETE' && columnsBack(root) === root.deletion.returns;
}

/** The relation's columns that the client's own statement returns; from these the others are looked up. */
function columnsBack({ target, deletion }: Root): readonly string[] {
  const { view, relation } = target;
  if (view === undefined || deletion.returns.every((name) => view.columns.has(name))) return deletion.returns;
  const { primaryKey } = relation;
  if (primaryKey.length > 0 && primaryKey.every((name) => view.columns.has(name)) && !deletion.inherits)
    return primaryKey;
  const what = 'a view that does not show the primary key';
  throw new ProxyError('PGC_RELATION', { table: quoteRelation(view.relation), what });
}

/** The columns that a root returns before the client's own. */
export function hiddenColumns(root: Root): readonly string[] {
  const { site, target } = root;
  // With its schema a name means this table by its object id, whatever the text itself calls the table.
  const rows = site.isNamesake ? quoteRelation(named(target)) : site.alias;
  const keys = columnsBack(root).map(
    (name) => `${rows}.${quoteName(target.view?.columns.get(name) ?? name)}`,
  );
  return site.command === 'MERGE' ? ['merge_action()', ...keys] : keys;
}

export function hiddenNames(root: Root): readonly string[] {
  const keys = columnsBack(root).map((_, i) => columnName(i));
  return root.site.command === 'MERGE' ? [ACTION, ...keys] : keys;
}

/** `pgc_0 (pgc_c0) AS` for the client's DELETE. */
export function rootHeader(root: Root, names: readonly string[] = []): string {
  return `${bodyName(root)} (${[...hiddenNames(root), ...names].join(', ')}) AS (`;
}

/** Of the rows that came back those deleted, with all columns. */
export function deletedRows(root: Root): string {
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

/** The client's own columns, where they have to be told from those of the proxy. */
export function clientName(index: number): string {
  return ownName(`x${index}`);
}

/** `RETURNING` and the keys, before the client's own columns or behind a statement that has none. */
export function returningEdits(root: Root): readonly Edit[] {
  const columns = hiddenColumns(root).join(', ');
  if (columns === '') return [];
  const { returning, end } = root.site;
  return returning ? [insertion(returning.list, `${columns}, `)] : [insertion(end, `\nRETURNING ${columns}`)];
}

/** The relation that the client's statement names. */
export function named({ relation, view }: Target): Relation {
  return view?.relation ?? relation;
}

export function namedTable(target: Target): string {
  return target.view ? quoteRelation(target.view.relation) : tableOf(target.relation);
}
