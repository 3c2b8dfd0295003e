/**
 * A plan as one statement. The client's own DELETEs, their text untouched, become CTEs that return the keys of their rows
 * (root.ts). The CTEs for the referencing tables take the keys from there. All CTEs see one snapshot, so their order in the text
 * decides nothing.
 */
import { ProxyError } from '../../errors.js';
import type { Steps } from '../../pace.js';
import type { Plan } from '../../plan/plan.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { afterParts, type Part } from '../after-parts.js';
import { ownName } from '../own-names.js';
import { type Columns, returnedNames } from '../returned-columns.js';
import { type Edit, insertion, type Spliced } from '../splice.js';
import type { RenderMode } from './actions/rows.js';
import { type Counted, countedParts, countsColumn } from './counts.js';
import { meaningHolds } from './meaning.js';
import { renderCascade } from './plan-cache.js';
import {
  addedNames,
  bodyName,
  clientName,
  deletedRowsCte,
  named,
  namedTable,
  type Root,
  returningEdits,
  rootHeader,
  spliceNamed,
} from './root.js';

/**
 * What the statement returns. Where rows are counted, a column has all counts (counts.ts): after the `count(*)`, or before all other columns.
 */
export type ResultShape =
  /** As the client's statement says. */
  | { readonly kind: 'as sent' }
  /** One row, the count; or none, where that is zero. */
  | { readonly kind: 'count'; readonly command: string; readonly counted?: readonly Counted[] }
  /** The client's rows, after so many columns of the proxy's own. */
  | {
      readonly kind: 'rows';
      readonly command: string;
      readonly added: number;
      readonly counted?: readonly Counted[];
    };

export interface Rendered extends Spliced {
  readonly shape: ResultShape;
}

/** What a statement writes beside its DELETEs, where the keys that it writes are checked. */
export interface Beside {
  /** The edits of its parts in the client's WITH. */
  readonly edits: readonly Edit[];
  /** The parts whose keys are checked. */
  readonly parts: readonly Part[];
  /** A condition of the whole statement: it is true or fails the statement. */
  readonly condition: string;
  /** The names of columns that the proxy's may not have; isOpen: there may be others. */
  readonly names: { readonly columns: readonly string[]; readonly isOpen: boolean };
  /** Makes the edits around the statement itself, where that writes: `ctes` follow it, and the last of these is `pgc_h (h)`, with all conditions. */
  readonly around:
    | ((ctes: readonly string[]) => { readonly edits: readonly Edit[]; readonly shape: ResultShape })
    | undefined;
}

/**
 * The client's statement with the cascade of its DELETEs:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     DELETE FROM users WHERE id = 1
 *     RETURNING users.id
 *     ),
 *     pgc_1 AS (DELETE FROM ONLY posts AS r WHERE EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.author))
 *     SELECT count(*) FROM pgc_0 WHERE CASE WHEN 'users'::regclass::oid = 16385 THEN true ELSE concat('pgcascade/…/relationChanged')::int4 = 0 END
 *
 * @param text the client's statement
 * @param roots its DELETEs that are in the plan, in the order in which the server executes them
 * @param beside what else it writes, where the keys of that are checked
 * @throws ProxyError PGC_FORM where the names of columns cannot be found out, and what `columns` throws
 */
export function* renderStatement(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  mode: RenderMode,
  columns: Columns,
  beside?: Beside,
): Steps<Rendered> {
  const source = { text, statement, columns };
  const { ctes, ...checks } = yield* renderCascade(plan, mode);
  yield;
  const conditions = [
    ...roots.map(meaningHolds),
    ...(beside ? [beside.condition] : []),
    ...checks.conditions,
  ];
  const inner = [
    ...roots.filter(({ site }) => site.cte !== undefined).flatMap((root) => cteEdits(root, source)),
    ...(beside?.edits ?? []),
  ];
  const isAnswered = statement.outer === undefined || statement.outer === 'PREPARE';
  const shapedAs = (shape: ResultShape): ResultShape => (isAnswered ? shape : { kind: 'as sent' });
  const main = roots.find(({ site, deletion }) => site.cte === undefined && deletion.returns.length > 0);
  if (beside?.around) {
    const { edits, shape } = beside.around([...ctes, holdsCte(conditions)]);
    return { ...spliceNamed(text, [...inner, ...edits], roots, beside.names), shape: shapedAs(shape) };
  }
  if (main === undefined) {
    const own = [...ctes, ...stoppers(roots, conditions)].map((cte) => `, ${cte}`).join('\n');
    const place = afterParts([...roots, ...(beside?.parts ?? [])], statement);
    return {
      ...spliceNamed(text, [...inner, insertion(place, `${own}\n`)], roots, beside?.names),
      shape: { kind: 'as sent' },
    };
  }
  const { opening, closing, results, shape } = mainParts(main, source, mode.counting ? plan : undefined);
  const end = `${closing}${ctes.map((cte) => `,\n${cte}`).join('')}\nSELECT ${results} WHERE ${conditions.join('\n AND ')}`;
  const edits: Edit[] = [
    ...inner,
    insertion(statement.start, `${statement.hasWith ? ', ' : 'WITH '}${opening}`),
    ...returningEdits(main),
    insertion(statement.end, end),
  ];
  return { ...spliceNamed(text, edits, roots, beside?.names), shape: shapedAs(shape) };
}

/**
 * What comes before and after the client's statement, where the statement itself deletes and not only its WITH; and what the whole
 * selects: `count(*) FROM pgc_0`, or for a RETURNING `pgc_0.* FROM pgc_0`, or in a COPY `pgc_x0 AS id FROM pgc_0`.
 * @param counted the plan, where its rows are counted
 */
function mainParts(
  root: Root,
  source: NamesSource,
  counted: Plan | undefined,
): { opening: string; closing: string; results: string; shape: ResultShape } {
  const { site } = root;
  const { outer } = source.statement;
  const body = bodyName(root);
  const closing = `\n)${deletedRowsCte(root)}`;
  const added = addedNames(root).length;
  const { command } = site;
  const opening = `${rootHeader(root)}\n`;
  if (site.returning === undefined)
    return {
      opening,
      closing,
      results: `pg_catalog.count(*)${counted ? `, ${countsColumn(counted)}` : ''} FROM ${body}`,
      shape: { kind: 'count', command, ...(counted ? { counted: countedParts(counted) } : {}) },
    };
  if (outer !== 'COPY')
    return {
      opening,
      closing,
      results: `${counted ? `${countsColumn(counted)}, ` : ''}${body}.* FROM ${body}`,
      shape: counted
        ? { kind: 'rows', command, added: added + 1, counted: countedParts(counted) }
        : { kind: 'rows', command, added },
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
    shape: { kind: 'as sent' },
  };
}

/**
 * A deleting CTE of the client's becomes two: the proxy's, and one with the client's name for what the client's RETURNING gives:
 *
 *     gone AS (DELETE FROM users WHERE id = 1 RETURNING id)
 *
 * becomes
 *
 *     pgc_0 (pgc_c0, pgc_x0) AS (DELETE FROM users WHERE id = 1 RETURNING users.id, id), gone (id) AS (SELECT pgc_x0 FROM pgc_0)
 */
function cteEdits(root: Root, source: NamesSource): readonly Edit[] {
  const { site, deletion, target } = root;
  const { cte } = site;
  if (cte === undefined || deletion.returns.length === 0) return [];
  const name = quoteName(cte.name);
  if (site.returning === undefined) {
    // Nothing can read from a CTE without RETURNING. The name stays, so that the server itself refuses a query that tries to.
    const empty = `, ${name} AS (DELETE FROM ${namedTable(target)} WHERE false)`;
    return [
      { start: cte.start, end: cte.body, sql: rootHeader(root) },
      ...returningEdits(root),
      insertion(cte.end, `${deletedRowsCte(root)}${empty}`),
    ];
  }
  const names = namesReturned(root, source);
  // The CTE's header has more names than the RETURNING has columns: the server refuses that.
  if (cte.columns.length > names.length) return [];
  const own = names.map((_, i) => clientName(i));
  const columns = [...cte.columns, ...names.slice(cte.columns.length)].map(quoteName).join(', ');
  const rest = `${name} (${columns}) AS (SELECT ${own.join(', ')} FROM ${bodyName(root)})`;
  return [
    { start: cte.start, end: cte.body, sql: rootHeader(root, own) },
    ...returningEdits(root),
    insertion(cte.end, `${deletedRowsCte(root)}, ${rest}`),
  ];
}

/** Where the names of a RETURNING's columns come from: the text, or an answer of the server. */
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
 * CTEs that evaluate the conditions where the statement has no SELECT of the proxy's that could:
 *
 *     pgc_h (h) AS (SELECT CASE WHEN 'users'::regclass::oid = 16385 THEN true ELSE … END)
 *     pgc_k0 AS (DELETE FROM ONLY users WHERE NOT (SELECT h FROM pgc_h))
 *
 * These DELETEs delete no rows, as each condition is true or fails. The server executes every data-modifying CTE, whether or not anything
 * reads from it. They are on the tables from which the client deletes, so they need no other privilege and fire no other triggers. There is
 * one for each of these tables, as PostgreSQL evaluates no condition where it knows beforehand that a table has no rows to delete.
 */
function stoppers(roots: readonly Root[], conditions: readonly string[]): readonly string[] {
  const name = ownName('h');
  const tables = new Set(roots.map(({ target }) => namedTable(target)));
  return [
    holdsCte(conditions),
    ...[...tables].map(
      (table, i) => `${ownName(`k${i}`)} AS (DELETE FROM ${table} WHERE NOT (SELECT h FROM ${name}))`,
    ),
  ];
}

/** `pgc_h (h) AS (SELECT …)`: whether all conditions hold. */
function holdsCte(conditions: readonly string[]): string {
  return `${ownName('h')} (h) AS (SELECT ${conditions.join('\n AND ')})`;
}
