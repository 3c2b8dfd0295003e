/** Triggers that may change what the WHERE of a DELETE looks at: behind a page it would not find again whose children are gone. */
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { Root } from '../single/root.js';

/** With these a function changes rows, or calls another one. That it inserts is harmless: what it inserts into is read by nobody. */
const WORDS = 'update|delete|merge|truncate|copy|execute|perform|select|call';

/**
 * Whether a trigger that a page fires may change more than its own rows: its source has one of the words, or names a volatile function
 * of somebody's, or cannot be read. A word as a literal is what TG_OP is compared with.
 *
 *     EXISTS (SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid JOIN pg_language AS l ON l.oid = p.prolang
 *       WHERE g.tgrelid = ANY (ARRAY[16385]::oid[]) AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND (g.tgtype & 24) <> 0
 *         AND l.lanname <> 'internal' AND (l.lanname <> ALL (ARRAY['plpgsql', 'sql'])
 *           OR lower(regexp_replace(p.prosrc, '…', '', 'gi')) ~ '…' OR EXISTS (SELECT FROM pg_proc AS f WHERE f.oid >= 16384
 *             AND f.provolatile = 'v' AND f.oid <> p.oid AND strpos(lower(p.prosrc), lower(f.proname)) > 0)))
 *
 * @param sharing as that of Graph
 * @returns undefined where the WHERE looks at the primary key alone
 */
export function changingTriggers(
  { functions, read }: CalledNames,
  { target }: Root,
  plan: Plan,
  sharing: Graph['sharing'],
): string | undefined {
  const { primaryKey } = target.relation;
  if (read.length === 0 && functions.every((name) => primaryKey.includes(name))) return undefined;
  const changed = [
    ...plan.deletions.map(({ relation }) => relation),
    ...plan.keys.map(({ referencing }) => referencing),
  ];
  const tables = new Set(changed.flatMap(sharing).map(({ oid }) => oid));
  const source = `pg_catalog.lower(pg_catalog.regexp_replace(p.prosrc, '''(${WORDS})''', '', 'gi'))`;
  return (
    `EXISTS (SELECT FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid` +
    ` JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang` +
    ` WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY (ARRAY[${[...tables].join(', ')}]::pg_catalog.oid[]) AND NOT g.tgisinternal` +
    ` AND g.tgenabled OPERATOR(pg_catalog.<>) 'D' AND (g.tgtype OPERATOR(pg_catalog.&) 24::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0` +
    ` AND l.lanname OPERATOR(pg_catalog.<>) 'internal'` +
    ` AND (l.lanname OPERATOR(pg_catalog.<>) ALL (ARRAY['plpgsql', 'sql']::pg_catalog.name[])` +
    ` OR ${source} OPERATOR(pg_catalog.~) '[[:<:]](${WORDS})[[:>:]]'` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_proc AS f WHERE f.oid OPERATOR(pg_catalog.>=) 16384 AND f.provolatile OPERATOR(pg_catalog.=) 'v'` +
    ` AND f.oid OPERATOR(pg_catalog.<>) p.oid` +
    ` AND pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower(f.proname::pg_catalog.text)) OPERATOR(pg_catalog.>) 0)))`
  );
}
