/**
 * Locks on the rows that a statement is going to delete, from the top down. Where the server enforces the key, a locked row
 * gets no new child: the INSERT of the child waits (RI_FKey_check locks what it references FOR KEY SHARE).
 */
import type { Plan } from '../../plan/plan.js';
import { hasParameters } from '../../sql/lexer/parameters.js';
import { quoteLiteral, quoteName, quoteRelation } from '../../sql/names.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { insertion } from '../splice.js';
import { renderDeletions } from './actions/deletions.js';
import { cteName } from './actions/rows.js';
import { addedColumns, isDirect, type Root, rootHeader, spliceNamed } from './root.js';

export interface Locks {
  readonly sql: string;
  /**
   * A question to the server, which answers `t` where executing `sql` does nothing but lock: no function of the names that
   * it calls is volatile, and none may hide in a view or a policy.
   */
  readonly harmless: string;
  /** How often `sql` has to be executed: each time it sees the children that were inserted before the time before locked their parents. */
  readonly rounds: number;
}

/** A child that is missed even so makes the statement fail, and the executor sends it again. */
const MOST_ROUNDS = 5;

/**
 * The statement as a SELECT that locks what it would delete. Where the server enforces the key of `posts`, and nothing references
 * those:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     SELECT users.id FROM users WHERE id = 1
 *     FOR UPDATE OF users
 *     )
 *     SELECT count(*) FROM (SELECT FROM pgc_0) AS l
 *
 * @returns undefined where no other transaction can get in the way, or no SELECT can be put in the statement's place
 */
export function renderLocks(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
): Locks | undefined {
  const { selection, sites, writes, outer, start, end, hasWith } = statement;
  const [root] = roots;
  if (!root || !selection || outer !== undefined || sites.length > 1 || writes.length > 0) return undefined;
  if (!plan.keys.some(({ enforcedByServer }) => enforcedByServer) || !isDirect(root) || root.target.view)
    return undefined;
  // FOR UPDATE OF takes a name without its schema.
  if (root.site.isNamesake) return undefined;
  // Bind gives values for all parameters.
  if (hasParameters(text.slice(selection.end))) return undefined;
  const locked = plan.deletions.filter(({ returns }) => returns.length > 0);
  const { alias, target } = root.site;
  const name = alias === quoteRelation(target) ? quoteName(target.name) : alias;
  const rows = locked.map(({ id }) => `SELECT FROM ${cteName(id)}`).join(' UNION ALL ');
  const below = renderDeletions(plan, 'locking').map((cte) => `,\n${cte}`);
  const edits = [
    insertion(start, `${hasWith ? ', ' : 'WITH '}${rootHeader(root)}\n`),
    { ...selection.verb, sql: `SELECT ${addedColumns(root).join(', ')}` },
    ...(selection.using ? [{ ...selection.using, sql: ',' }] : []),
    {
      start: selection.end,
      end,
      sql: `\nFOR UPDATE OF ${name}\n)${below.join('')}\nSELECT pg_catalog.count(*) FROM (${rows}) AS l`,
    },
  ];
  const { sql } = spliceNamed(text.slice(0, end), edits, roots);
  return { sql, harmless: harmless(selection.names, plan), rounds: Math.min(locked.length, MOST_ROUNDS) };
}

/**
 * The question of `Locks.harmless`:
 *
 *     SELECT NOT (EXISTS (SELECT FROM pg_proc AS p WHERE p.proname = ANY (ARRAY['f']::name[]) AND p.provolatile = 'v')
 *       OR EXISTS (SELECT FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode WHERE o.oprname = ANY (ARRAY['=']::name[]) AND …)
 *       OR EXISTS (SELECT FROM pg_class AS r WHERE r.relname = ANY (ARRAY['users']::name[]) AND (r.relrowsecurity OR r.relkind = 'v')))
 */
function harmless({ functions, operators, relations }: CalledNames, plan: Plan): string {
  const among = (column: string, names: readonly string[]) =>
    `${column} OPERATOR(pg_catalog.=) ANY (ARRAY[${names.map(quoteLiteral).join(', ')}]::pg_catalog.name[])`;
  const read = [...relations, ...plan.deletions.map(({ relation }) => relation.name)];
  const VOLATILE = `p.provolatile OPERATOR(pg_catalog.=) 'v'`;
  return (
    `SELECT NOT (EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE ${among('p.proname', functions)} AND ${VOLATILE})` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) o.oprcode` +
    ` WHERE ${among('o.oprname', operators)} AND ${VOLATILE})` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_class AS r WHERE ${among('r.relname', read)}` +
    ` AND (r.relrowsecurity OR r.relkind OPERATOR(pg_catalog.=) 'v')))`
  );
}
