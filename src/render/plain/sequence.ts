/**
 * A plan as a sequence of plain statements, for databases whose catalog does not have the keys, or that lack what the sequences of
 * render/ordered need: arrays, a WITH, casts. This file makes the first statement, of the client's text; statements.ts makes the others.
 */
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import type { Family } from '../../profiles/families/family.js';
import { hasParameters } from '../../sql/lexer/parameters.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { mayReturnImages } from '../returned-columns.js';
import type { Root } from '../single/root.js';
import { type Spliced, splice } from '../splice.js';
import { heldTables } from './found-rows.js';
import { refusedBy } from './refusal.js';
import { repeatObstacle } from './repeated.js';

export interface PlainSequence {
  /** A SELECT that finds the client's rows: it returns a schema, the columns of the HeldTable, and the client's RETURNING, if there is one. */
  readonly roots: Spliced;
  /** How many columns come before those of a RETURNING. */
  readonly added: number;
  /** Whether the client's statement has a RETURNING. */
  readonly returns: boolean;
  readonly hasParameters: boolean;
  /** What the first column has to be for the client's name to mean the table of the plan; undefined where the name has a schema itself. */
  readonly schema: string | undefined;
  /** The server's family; without transactions where each statement has to be a transaction of its own. */
  readonly family: Family;
  /** The enforced key for which each statement has to be a transaction of its own. */
  readonly separatingKey: string | undefined;
  /** Rows are deleted in layers: no row before another that references it, within its own table too. */
  readonly inLayers: boolean;
}

/**
 * @param graph in which the plan was made
 * @param separatingKey a key that the server enforces in such a way that each statement has to be a transaction of its own
 * @throws ProxyError PGC_FAMILY for what cannot be done on servers of the family
 */
export function renderPlain(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  server: Family,
  graph: Graph,
  separatingKey?: string,
): PlainSequence {
  const { transactions } = server;
  const family: Family = separatingKey
    ? { ...server, transactions: { ...transactions, kind: 'none' } }
    : server;
  const [root, ...more] = roots;
  const what =
    root && more.length === 0
      ? (statementObstacle(text, statement, root, family) ??
        planObstacle(plan, family) ??
        interruptionObstacle(statement, root, plan, family, graph))
      : 'several DELETEs in one statement';
  if (root === undefined || what !== undefined) {
    const table = roots.map(({ target: { relation } }) => quoteRelation(relation)).join(', ');
    throw refusedBy(family, table, what ?? statement.form);
  }
  const { relation } = root.target;
  const columns = heldTables(plan).get(relation)?.columns ?? [];
  const { schema } = root.site.target;
  return {
    roots: selectRoots(text, statement, root, columns, family),
    added: 1 + columns.length,
    returns: root.site.returning !== undefined,
    hasParameters: hasParameters(text),
    schema: schema === undefined ? relation.schema : undefined,
    family,
    separatingKey,
    inLayers: family.transactions.kind === 'none' || checksAfterEachRow(plan),
  };
}

/** Whether it matters that a server other than PostgreSQL may check an enforced key after each row, and not only at the end of a statement. */
function checksAfterEachRow({ deletions, keys }: Plan): boolean {
  return deletions.some(({ cycle }) => cycle !== undefined) && keys.some(({ enforced }) => enforced);
}

/**
 * The client's DELETE as a SELECT of the rows that it would delete:
 *
 *     SELECT CURRENT_SCHEMA, "users"."id" FROM users WHERE id = 1 FOR UPDATE
 *     SELECT CURRENT_SCHEMA, "users"."id" FROM users WHERE id > 1 LIMIT 3 FOR UPDATE
 */
function selectRoots(
  text: string,
  { foreign, selection, end }: DeletingStatement,
  { site }: Root,
  columns: readonly string[],
  { lock, plain }: Family,
): Spliced {
  if (!selection) throw new Error('no SELECT can be put in the place of the statement');
  const added = [plain.schema, ...columns.map((column) => `${site.alias}.${quoteName(column)}`)];
  const own = site.returning ? `, ${text.slice(site.returning.list, site.end)}` : '';
  const from = foreign?.lacksFrom ? ' FROM' : '';
  const limit = foreign?.limit ? ` ${foreign.limit}` : '';
  return splice(text.slice(0, end), [
    { ...selection.verb, sql: `SELECT ${added.join(', ')}${own}${from}` },
    ...(selection.using ? [{ ...selection.using, sql: ',' }] : []),
    { start: selection.end, end, sql: `${limit}${lock === 'FOR UPDATE' ? ' FOR UPDATE' : ''}` },
  ]);
}

/** Why plain statements cannot carry out the statement; undefined where they can. */
function statementObstacle(
  text: string,
  { form, hasWith, outer, selection, sites, writes }: DeletingStatement,
  { site, target }: Root,
  { deletes, lock }: Family,
): string | undefined {
  if (outer !== undefined) return `a DELETE in ${outer}`;
  if (sites.length > 1 || writes.length > 0 || site.cte !== undefined)
    return `a ${form} that changes something else`;
  if (!selection) return `a ${site.command} whose rows no SELECT finds`;
  if (target.view) return 'a DELETE from a view';
  if (target.only) return 'a DELETE FROM ONLY';
  if (site.isNamesake) return 'a DELETE whose target is called as another table beside it';
  if (hasWith && lock === 'FOR UPDATE') return 'a DELETE with a WITH';
  if (hasParameters(text.slice(selection.end))) return 'a DELETE with parameters after its conditions';
  if (!site.returning) return undefined;
  if (!deletes.returning) return 'a RETURNING';
  if (selection.using) return 'a DELETE with USING and RETURNING';
  return mayReturnImages(text, site, selection.end) ? 'a RETURNING of OLD or NEW' : undefined;
}

/** Why the client could not send the statement again after an interruption, where that may leave it half done; undefined where it could. */
function interruptionObstacle(
  { selection }: DeletingStatement,
  root: Root,
  plan: Plan,
  { transactions }: Family,
  graph: Graph,
): string | undefined {
  if (transactions.kind !== 'none' || !selection) return undefined;
  return repeatObstacle(selection.names, root, plan, graph);
}

/** Why plain statements cannot carry out the plan; undefined where they can. */
function planObstacle(plan: Plan, { plain, transactions }: Family): string | undefined {
  const unknown = [...heldTables(plan).values()].find(({ identity }) => identity.length === 0);
  if (unknown)
    return `the rows of ${quoteRelation(unknown.relation)} are referenced by columns that are not unique`;
  for (const check of plan.checks) {
    const { key } = check;
    switch (check.kind) {
      case 'rows':
        if (check.changers.length > 0) return sharedColumns(key.name);
        break;
      case 'same key':
      case 'new key':
        if (check.by !== key) return sharedColumns(key.name);
        if (!plain.setsDefault) return `${key.name} is SET DEFAULT, which it does not know`;
        if (transactions.kind === 'none')
          return `${key.name} is SET DEFAULT, and what it sets can only be looked at after it`;
        break;
      case 'mixed key':
      case 'not null':
      case 'overlap':
      case 'referenced':
        return sharedColumns(key.name);
      case 'order':
        break;
      default:
        check satisfies never;
    }
  }
  return undefined;
}

function sharedColumns(key: string): string {
  return `${key} changes or reads columns that another key sets`;
}
