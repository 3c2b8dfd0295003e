/**
 * A statement of a sequence. It knows the rows of earlier steps by their keys alone: each column of each deletion is an
 * array that the proxy holds and gives back as a parameter, unread. Only the database compares keys.
 */
import type { Deletion, Plan } from '../../plan/plan.js';
import { withNames } from '../own-names.js';
import { header } from '../single/actions/deletions.js';
import { cteName } from '../single/actions/rows.js';
import type { Counted } from '../single/counts.js';

export interface Step {
  /** Its text, with MARKER in it where it may stop itself. */
  readonly sql: string;
  /** The deletions whose keys are its parameters, in order: for each as many arrays as the deletion returns columns. */
  readonly held: readonly number[];
  /** What its tag counts; `several` where it takes rows of several tables, or its tag counts something else. */
  readonly takes?: Counted | 'several';
}

/** A step that gives keys: one row, with an array for each column that each of the deletions returns. */
export interface Collecting extends Step {
  readonly collects: readonly number[];
}

/**
 * A step of the proxy's own. The deletions that the text reads from become CTEs of the keys that are held:
 *
 *     WITH pgc_0 (pgc_c0) AS (SELECT u.* FROM ROWS FROM (unnest($1)) AS u) DELETE FROM ONLY users AS r WHERE …
 *
 * @param ctes further ones, which may read from those
 */
export function stepOf(plan: Plan, body: string, ctes: readonly string[] = []): Step {
  const text = [...ctes, body].join('\n');
  const held = plan.deletions.filter((deletion) => reads(text, deletion) && !makes(ctes, deletion));
  let parameters = 0;
  const keys = held.map((deletion) => {
    const arrays = deletion.returns.map(() => `pg_catalog.unnest($${++parameters})`);
    return `${header(cteName(deletion.id), deletion)} AS (SELECT u.* FROM ROWS FROM (${arrays.join(', ')}) AS u)`;
  });
  const all = [...keys, ...ctes];
  const sql = `${all.length > 0 ? `WITH ${all.join(',\n')}\n` : ''}${body}`;
  return { sql: withNames(sql), held: held.map(({ id }) => id) };
}

/** The number of parameters that a step has for keys: another one after them is `$${…}`. */
export function parametersOf({ deletions }: Plan, held: readonly number[]): number {
  return held.reduce((sum, id) => sum + (deletions[id]?.returns.length ?? 0), 0);
}

function reads(text: string, { id }: Deletion): boolean {
  const name = cteName(id);
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
    if (!/[0-9]/.test(text.charAt(at + name.length))) return true;
  return false;
}

function makes(ctes: readonly string[], { id }: Deletion): boolean {
  const name = cteName(id);
  return ctes.some((cte) => cte.startsWith(`${name} `));
}
