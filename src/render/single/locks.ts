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
  /** What is executed before the statement, one after the other in the same transaction; and the runs of the client's text there. */
  readonly statements: readonly Spliced[];
  /**
   * A question to the server, which answers `t` where executing them does nothing but lock, and the role may do that: no
   * function of the names that they call is volatile, and none may hide in a view or a policy.
   */
  readonly harmless: string;
  /** Whether they are sent before the first attempt; else only when another transaction got in the way of one. */
  readonly isFirst: boolean;
}

/**
 * What locks what the statement is going to delete, and its children wait for.
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

/** The part of a statement that locks one level, as it is the same for all statements of a plan. */
interface LevelSql {
  /** It is the client's own DELETE whose rows are locked; else these are only found. */
  readonly isTop: boolean;
  /** The CTEs of the levels in between, and of this one. */
  readonly ctes: readonly string[];
  /** Those of this level: all their rows are read, so that all are locked. */
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
 * The statement as a SELECT that locks one level of what it would delete. Of the users themselves, and then of their posts,
 * which others reference:
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
