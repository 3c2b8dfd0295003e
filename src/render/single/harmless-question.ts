/** The query whether a SELECT in the place of a DELETE does nothing but find and lock rows. */
import type { Plan } from '../../plan/plan.js';
import { quoteLiteral } from '../../sql/names.js';
import type { CalledNames } from '../../sql/statement/selection.js';

/**
 * The query of `Locks.harmless`:
 *
 *     SELECT NOT (EXISTS (SELECT FROM pg_proc AS p WHERE p.proname = ANY (ARRAY['f']::name[]) AND (p.provolatile = 'v' OR
 *         EXISTS (SELECT FROM pg_aggregate AS a JOIN pg_proc AS s ON s.oid = ANY (ARRAY[a.aggtransfn, a.aggfinalfn]::oid[])
 *           WHERE a.aggfnoid = p.oid AND s.provolatile = 'v')))
 *       OR EXISTS (SELECT FROM pg_type AS t WHERE t.typname = ANY (ARRAY['email']::name[]) AND (t.typtype = 'd' OR
 *         EXISTS (SELECT FROM pg_cast AS c JOIN pg_proc AS p ON p.oid = c.castfunc WHERE c.casttarget = t.oid AND p.provolatile = 'v')))
 *       OR EXISTS (SELECT FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode WHERE o.oprname = ANY (ARRAY['=']::name[]) AND …)
 *       OR EXISTS (SELECT FROM pg_class AS r WHERE r.relname = ANY (ARRAY['users']::name[]) AND (r.relrowsecurity OR r.relkind = 'v'))
 *       OR EXISTS (SELECT FROM unnest(ARRAY[16385]::oid[]) AS l WHERE NOT has_any_column_privilege(l.l, 'UPDATE')))
 *
 * @param names what the client's statement calls
 * @param again the SELECT is executed again when the rows that it has found are deleted. Then it may call no function that could read these
 * rows: stable functions are allowed only where they are the server's own
 * @param more a further condition under which the SELECT is harmful
 */
export function harmlessQuestion(
  { functions, types, operators, relations }: CalledNames,
  plan: Plan,
  again = false,
  more?: string,
): string {
  const among = (column: string, names: readonly string[]) =>
    `${column} OPERATOR(pg_catalog.=) ANY (ARRAY[${names.map(quoteLiteral).join(', ')}]::pg_catalog.name[])`;
  const read = [...relations, ...plan.deletions.map(({ relation }) => relation.name)];
  // SELECT … FOR UPDATE needs the right to UPDATE (execMain.c, ExecCheckOneRelPerms).
  const locked = plan.deletions
    .filter(({ returns }) => returns.length > 0)
    .map(({ relation }) => relation.oid);
  const harms = (p: string) =>
    `${p}.provolatile OPERATOR(pg_catalog.=) 'v'${again ? ` OR ${p}.provolatile OPERATOR(pg_catalog.=) 's' AND ${readsAtWill(p)}` : ''}`;
  return (
    `SELECT NOT (EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE ${among('p.proname', functions)} AND (${harms('p')} OR` +
    ` EXISTS (SELECT FROM pg_catalog.pg_aggregate AS a JOIN pg_catalog.pg_proc AS s ON s.oid OPERATOR(pg_catalog.=)` +
    ` ANY (ARRAY[a.aggtransfn, a.aggfinalfn]::pg_catalog.oid[])` +
    ` WHERE a.aggfnoid OPERATOR(pg_catalog.=) p.oid AND (${harms('s')}))))` +
    // The CHECK of a domain may call anything.
    ` OR EXISTS (SELECT FROM pg_catalog.pg_type AS t WHERE ${among('t.typname', types)} AND (t.typtype OPERATOR(pg_catalog.=) 'd' OR` +
    ` EXISTS (SELECT FROM pg_catalog.pg_cast AS c JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) c.castfunc` +
    ` WHERE c.casttarget OPERATOR(pg_catalog.=) t.oid AND (${harms('p')}))))` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) o.oprcode` +
    ` WHERE ${among('o.oprname', operators)} AND (${harms('p')}))` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_class AS r WHERE ${among('r.relname', read)}` +
    ` AND (r.relrowsecurity OR r.relkind OPERATOR(pg_catalog.=) 'v'))` +
    ` OR EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[${locked.join(', ')}]::pg_catalog.oid[]) AS l` +
    ` WHERE NOT pg_catalog.has_any_column_privilege(l.l, 'UPDATE'))${more === undefined ? '' : ` OR ${more}`})`
  );
}

/** A condition: the function may read any table. Of the server's own, those that make XML of a table do so: their arguments name it. */
function readsAtWill(p: string): string {
  return (
    `(${p}.pronamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid` +
    ` OR ${p}.proname OPERATOR(pg_catalog.~~) '%\\_to\\_xml%')`
  );
}
