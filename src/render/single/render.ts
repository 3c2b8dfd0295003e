/**
 * A plan as one statement: the client's own, its text untouched, with its DELETEs as CTEs that return the keys of their
 * rows, and the children's hanging off what they returned. All parts see one snapshot, so their order in the text decides
 * nothing.
 */
import { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import type { Steps } from '../../pace.js';
import type { Deletion, Plan, Target } from '../../plan/plan.js';
import { quoteLiteral, quoteName, quoteRelation } from '../../sql/names.js';
import type { DeletingStatement, Site } from '../../sql/statement/statement.js';
import { ownName, withOwnNames } from '../own-names.js';
import { type Columns, returnedNames } from '../returned-columns.js';
import { type Edit, insertion, type Spliced, splice } from '../splice.js';
import { FAIL_RELATION_CHANGED } from '../violations.js';
import { header } from './actions/deletions.js';
import { columnName, cteName, tableOf } from './actions/rows.js';
import { renderBelow } from './kept-plans.js';

/** What a client's DELETE or MERGE became. */
export interface Root {
  readonly site: Site;
  readonly target: Target;
  readonly deletion: Deletion;
}

/** What the answers look like. */
export type Answers =
  /** As the client's statement says. */
  | { readonly kind: 'as sent' }
  /** One row, the count. */
  | { readonly kind: 'count'; readonly command: string }
  /** The client's rows behind so many columns of the proxy's own. */
  | { readonly kind: 'rows'; readonly command: string; readonly hidden: number };

export interface Rendered extends Spliced {
  readonly answers: Answers;
}

/**
 * @param text the client's statement
 * @param roots those of its DELETEs that concern the plan, in the order in which they are carried out
 * @param suspecting a statement that only finds out whether any rule may be broken, see checks.ts
 * @throws ProxyError PGC_FORM where nobody can tell the names of columns, and what `columns` throws
 */
export function* renderStatement(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  suspecting: boolean,
  columns: Columns,
): Steps<Rendered> {
  const source = { text, statement, columns };
  const { ctes: below, ...checks } = yield* renderBelow(plan, suspecting);
  yield;
  const conditions = [...roots.map(meaningHolds), ...checks.conditions];
  const inner = roots.filter(({ site }) => site.cte !== undefined).flatMap((root) => cteEdits(root, source));
  const main = roots.find(({ site, deletion }) => site.cte === undefined && deletion.returns.length > 0);
  if (main === undefined) {
    const own = [...below, ...stoppers(roots, conditions)].map((cte) => `, ${cte}`).join('\n');
    return {
      ...spliceNamed(text, [...inner, insertion(statement.start, `${own}\n`)], roots),
      answers: { kind: 'as sent' },
    };
  }
  const { opening, closing, results, answers } = mainParts(main, source);
  const end = `${closing}${below.map((cte) => `,\n${cte}`).join('')}\nSELECT ${results} WHERE ${conditions.join('\n AND ')}`;
  const edits: Edit[] = [
    ...inner,
    insertion(statement.start, `${statement.hasWith ? ', ' : 'WITH '}${opening}`),
    ...returningEdits(main),
    insertion(statement.end, end),
  ];
  const spliced = spliceNamed(text, edits, roots);
  return {
    ...spliced,
    answers: statement.outer === undefined || statement.outer === 'PREPARE' ? answers : { kind: 'as sent' },
  };
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
function bodyName(root: Root): string {
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

function hiddenNames(root: Root): readonly string[] {
  const keys = columnsBack(root).map((_, i) => columnName(i));
  return root.site.command === 'MERGE' ? [ACTION, ...keys] : keys;
}

/** `pgc_0 (pgc_c0) AS` for the client's DELETE. */
export function rootHeader(root: Root, names: readonly string[] = []): string {
  return `${bodyName(root)} (${[...hiddenNames(root), ...names].join(', ')}) AS (`;
}

/** Of the rows that came back those deleted, with all columns. */
function deletedRows(root: Root): string {
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

function mainParts(
  root: Root,
  source: NamesSource,
): { opening: string; closing: string; results: string; answers: Answers } {
  const { site } = root;
  const { outer } = source.statement;
  const body = bodyName(root);
  const closing = `\n)${deletedRows(root)}`;
  const hidden = hiddenNames(root).length;
  const { command } = site;
  const opening = `${rootHeader(root)}\n`;
  if (site.returning === undefined)
    return {
      opening,
      closing,
      results: `pg_catalog.count(*) FROM ${body}`,
      answers: { kind: 'count', command },
    };
  if (outer !== 'COPY')
    return {
      opening,
      closing,
      results: `${body}.* FROM ${body}`,
      answers: { kind: 'rows', command, hidden },
    };
  const names = namesReturned(root, source);
  const results = names.map((name, i) => `${clientName(i)} AS ${quoteName(name)}`).join(', ');
  return {
    opening: `${rootHeader(
      root,
      names.map((_, i) => clientName(i)),
    )}\n`,
    closing,
    results: `${results} FROM ${body}`,
    answers: { kind: 'as sent' },
  };
}

/** The client's own columns, where they have to be told from those of the proxy. */
function clientName(index: number): string {
  return ownName(`x${index}`);
}

/** `RETURNING` and the keys, before the client's own columns or behind a statement that has none. */
function returningEdits(root: Root): readonly Edit[] {
  const columns = hiddenColumns(root).join(', ');
  if (columns === '') return [];
  const { returning, end } = root.site;
  return returning ? [insertion(returning.list, `${columns}, `)] : [insertion(end, `\nRETURNING ${columns}`)];
}

/** `x AS (DELETE …)` becomes `pgc_0 (…) AS (DELETE …), x AS (what the client returned)`. */
function cteEdits(root: Root, source: NamesSource): readonly Edit[] {
  const { site, deletion, target } = root;
  const { cte } = site;
  if (cte === undefined || deletion.returns.length === 0) return [];
  const name = quoteName(cte.name);
  if (site.returning === undefined) {
    // Nobody can read from it: the name stays for the server's own error.
    const empty = `, ${name} AS (DELETE FROM ${namedTable(target)} WHERE false)`;
    return [
      { start: cte.start, end: cte.body, sql: rootHeader(root) },
      ...returningEdits(root),
      insertion(cte.end, `${deletedRows(root)}${empty}`),
    ];
  }
  const names = namesReturned(root, source);
  // More names in its header than columns: the server refuses it.
  if (cte.columns.length > names.length) return [];
  const own = names.map((_, i) => clientName(i));
  const columns = [...cte.columns, ...names.slice(cte.columns.length)].map(quoteName).join(', ');
  const rest = `${name} (${columns}) AS (SELECT ${own.join(', ')} FROM ${bodyName(root)})`;
  return [
    { start: cte.start, end: cte.body, sql: rootHeader(root, own) },
    ...returningEdits(root),
    insertion(cte.end, `${deletedRows(root)}, ${rest}`),
  ];
}

/** Where the names of columns come from. */
interface NamesSource {
  readonly text: string;
  readonly statement: DeletingStatement;
  readonly columns: Columns;
}

function namesReturned({ site, target }: Root, { text, statement, columns }: NamesSource): readonly string[] {
  const names = returnedNames(text, statement, site, named(target), columns);
  if (names !== undefined) return names;
  throw new ProxyError('PGC_FORM', {
    table: quoteRelation(target.relation),
    form: `${statement.form} with a RETURNING of which nobody can tell what its columns are called`,
  });
}

/**
 * CTEs that take no rows and fail where a condition does not hold: what changes rows is carried out whether or not
 * anything reads from it. They are of the tables that the client deletes from anyway, so they need no right and fire no
 * trigger that does not fire already; of each of them, as PostgreSQL looks at no condition where it knows beforehand that
 * a table has no rows to delete.
 */
function stoppers(roots: readonly Root[], conditions: readonly string[]): readonly string[] {
  const name = ownName('h');
  const holds = `${name} (h) AS (SELECT ${conditions.join('\n AND ')})`;
  const tables = new Set(roots.map(({ target }) => namedTable(target)));
  return [
    holds,
    ...[...tables].map(
      (table, i) => `${ownName(`k${i}`)} AS (DELETE FROM ${table} WHERE NOT (SELECT h FROM ${name}))`,
    ),
  ];
}

/** The relation that the client's statement names. */
function named({ relation, view }: Target): Relation {
  return view?.relation ?? relation;
}

function namedTable(target: Target): string {
  return target.view ? quoteRelation(target.view.relation) : tableOf(target.relation);
}

/**
 * Fails where a target's name no longer means the table that was planned for. The server looks the name up whenever
 * it analyses the statement, in the same breath as the one in the client's text.
 */
function meaningHolds({ site, target }: Root): string {
  const name = quoteLiteral(quoteRelation(site.target));
  const same = `${name}::pg_catalog.regclass::pg_catalog.oid OPERATOR(pg_catalog.=) ${named(target).oid}::pg_catalog.oid`;
  return `CASE WHEN ${same} THEN true ELSE ${FAIL_RELATION_CHANGED} OPERATOR(pg_catalog.=) 0 END`;
}
