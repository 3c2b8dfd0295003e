/**
 * Locks on the rows that a statement is going to delete, from the top down. A row that is locked gets no new child where
 * the server enforces the key: its INSERT waits (RI_FKey_check locks what it references FOR KEY SHARE).
 */
import { quoteName, quoteRelation } from '../sql/names.js';
import type { DeletingStatement } from '../sql/statement.js';
import { renderDeletions } from './deletions.js';
import type { Plan } from './plan.js';
import { hiddenColumns, isDirect, type Root, rootHeader } from './render.js';
import { cteName } from './rows.js';
import { insertion, splice } from './splice.js';

export interface Locks {
  readonly sql: string;
  /** How often it has to be executed: each time sees the children that came before the last one locked their parents. */
  readonly rounds: number;
}

/** More rounds than this nobody needs to win against: what is missed makes the statement be sent again. */
const MOST_ROUNDS = 5;

/**
 * @returns undefined where nobody can get in the way, or the rows cannot be selected by a statement that can be repeated
 */
export function renderLocks(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
): Locks | undefined {
  const { selection, sites, changes, outer, start, end, hasWith } = statement;
  const [root] = roots;
  if (!root || !selection || outer !== undefined || sites.length > 1 || changes.length > 0) return undefined;
  if (!plan.keys.some(({ guarded }) => guarded) || !isDirect(root)) return undefined;
  // Bind gives values for all parameters.
  if (/\$\d/.test(text.slice(selection.end))) return undefined;
  const locked = plan.deletions.filter(({ returns }) => returns.length > 0);
  const { alias, target } = root.site;
  const name = alias === quoteRelation(target) ? quoteName(target.name) : alias;
  const rows = locked.map(({ id }) => `SELECT FROM ${cteName(id)}`).join(' UNION ALL ');
  const below = renderDeletions(plan, true).map((cte) => `,\n${cte}`);
  const { sql } = splice(text.slice(0, end), [
    insertion(start, `${hasWith ? ', ' : 'WITH '}${rootHeader(root)}\n`),
    { ...selection.verb, sql: `SELECT ${hiddenColumns(root).join(', ')}` },
    ...(selection.using ? [{ ...selection.using, sql: ',' }] : []),
    {
      start: selection.end,
      end,
      sql: `\nFOR UPDATE OF ${name}\n)${below.join('')}\nSELECT pg_catalog.count(*) FROM (${rows}) AS l`,
    },
  ]);
  return { sql, rounds: Math.min(locked.length, MOST_ROUNDS) };
}
