/**
 * Locks on the rows that a statement is going to delete, level by level from the top down. A locked row gets no new child from a
 * writer who locks the parent of what it writes: for a key that the server enforces the server itself does so (RI_FKey_check locks
 * what a row references FOR KEY SHARE). Each level is a statement of its own, and so sees the children that were committed
 * while the level above waited for its locks.
 */
import { oncePerPlan, type Plan } from '../../plan/plan.js';
import { hasParameters } from '../../sql/lexer/parameters.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { insertion, type Spliced } from '../splice.js';
import { renderDeletions } from './actions/deletions.js';
import { cteName } from './actions/rows.js';
import { renderDefaultLocks } from './default-locks.js';
import { harmlessQuestion } from './harmless-question.js';
import { levelsOf } from './levels.js';
import { addedColumns, isDirect, type Root, rootHeader, spliceNamed } from './root.js';

/** What `cascade.locks` says of keys that the server does not enforce: what is locked before their rows are deleted. */
export const LOCK_MODES = ['none', 'rows', 'tables'] as const;
export type LockMode = (typeof LOCK_MODES)[number];

export interface Locks {
  /** The statements to execute before the client's, one after the other in the same transaction. */
  readonly statements: readonly Spliced[];
  /**
   * A query that returns `t` where the statements do nothing but lock rows, and the role has the privilege to lock them: they call no volatile
   * function, and read no view and no table with row security, which might call one.
   */
  readonly harmless: string;
  /** Whether they are sent before the first attempt; else only after an attempt that a concurrent transaction has made fail. */
  readonly isFirst: boolean;
}

/**
 * The locks on the rows that the statement is going to delete: whoever inserts a row that references one of them waits.
 * @returns undefined where nothing is to be locked, or no SELECT can be put in the statement's place
 */
export function renderLocks(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  mode: LockMode,
): Locks | undefined {
  const isFirst = mode === 'rows' && plan.keys.some(({ enforcedByServer }) => !enforcedByServer);
  const isLater = plan.keys.some(({ enforcedByServer }) => enforcedByServer);
  return isFirst || isLater ? lockRows(text, statement, plan, roots, isFirst) : undefined;
}

function lockRows(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  isFirst: boolean,
): Locks | undefined {
  const { selection, sites, writes, outer } = statement;
  const [root] = roots;
  if (!root || !selection || outer !== undefined || sites.length > 1 || writes.length > 0) return undefined;
  if (!isDirect(root) || root.target.view) return undefined;
  // FOR UPDATE OF takes a name without its schema.
  if (root.site.isNamesake) return undefined;
  // Bind gives values for all parameters.
  if (hasParameters(text.slice(selection.end))) return undefined;
  const statements = [
    ...levelSql(plan).map((level) => lockLevel(text, statement, root, level)),
    ...renderDefaultLocks(plan).map((sql): Spliced => ({ sql, copied: [] })),
  ];
  return { statements, harmless: harmlessQuestion(selection.names, plan), isFirst };
}

/** The part of a locking statement that depends on the plan alone, and not on the client's text. */
interface LevelSql {
  /** Whether the level is that of the client's own rows; else the statement only finds these. */
  readonly isTop: boolean;
  /** The CTEs of this level, and of the levels between it and the client's rows. */
  readonly ctes: readonly string[];
  /** The names of the CTEs of this level. The statement reads all rows of these, so that it locks all. */
  readonly locked: readonly string[];
}

const levelSql = oncePerPlan((plan): readonly LevelSql[] =>
  levelsOf(plan).map((level, depth) => ({
    isTop: depth === 0,
    ctes: renderDeletions(plan, level.purpose),
    locked: level.locked.map(({ id }) => cteName(id)),
  })),
);

/**
 * The client's statement as a SELECT that locks one level of the rows that it would delete. First the users themselves, then their posts,
 * where another table references posts:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     SELECT users.id FROM users WHERE id = 1
 *     FOR UPDATE OF users
 *     )
 *     SELECT count(*) FROM (SELECT FROM pgc_0) AS l
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     SELECT users.id FROM users WHERE id = 1
 *     ),
 *     pgc_1 (pgc_c0) AS (SELECT r.id FROM ONLY posts AS r WHERE EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.author) FOR UPDATE)
 *     SELECT count(*) FROM (SELECT FROM pgc_1) AS l
 */
function lockLevel(
  text: string,
  { selection, start, end, hasWith }: DeletingStatement,
  root: Root,
  { isTop, ctes, locked }: LevelSql,
): Spliced {
  if (!selection) throw new Error('no SELECT can be put in the place of the statement');
  const { alias } = root.site;
  const name = alias === quoteRelation(root.target.relation) ? quoteName(root.target.relation.name) : alias;
  const rows = locked.map((cte) => `SELECT FROM ${cte}`).join(' UNION ALL ');
  const below = ctes.map((cte) => `,\n${cte}`).join('');
  const edits = [
    insertion(start, `${hasWith ? ', ' : 'WITH '}${rootHeader(root)}\n`),
    { ...selection.verb, sql: `SELECT ${addedColumns(root).join(', ')}` },
    ...(selection.using ? [{ ...selection.using, sql: ',' }] : []),
    {
      start: selection.end,
      end,
      sql: `${isTop ? `\nFOR UPDATE OF ${name}` : ''}\n)${below}\nSELECT pg_catalog.count(*) FROM (${rows}) AS l`,
    },
  ];
  return spliceNamed(text.slice(0, end), edits, [root]);
}
