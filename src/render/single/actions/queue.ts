/**
 * The order in which PostgreSQL would have deleted the rows of a cascade, as a CTE that is evaluated only where a rule
 * depends on it.
 *
 * Natively every deleted row queues one event a key, oldest key first; the rows that an event deletes queue theirs behind
 * all that wait (trigger.c, AfterTriggerSaveEvent; ri_triggers.c runs its queries with fire_triggers = false). So the rows
 * of one depth come before those of the next, and within a depth the order is that of the rows they referenced, then of
 * the keys, then the one in which one event finds them.
 */

import { cascades, oncePerPlan, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import { hasPlace } from './deletions.js';
import { equals } from './match.js';
import { columnName, cteName, isAmong, tableOf } from './rows.js';

/**
 * A row of it: `n` is the place in the queue, `o` and `c` are the row's own place, and `pn`, `age` the event that deleted
 * it: the place in the queue of the row it referenced, and the key's. Both are 0 for the client's own rows.
 */
export const QUEUE = ownName('q');

/** The place of a key among those that fire for one row. */
export function age(plan: Plan, key: Plan['keys'][number]): number {
  return agesOf(plan).get(key) ?? 0;
}

const agesOf = oncePerPlan(({ keys }) => new Map(keys.map((key, i) => [key, i + 1])));

export function renderQueue(plan: Plan): string {
  const own = plan.deletions
    .filter(({ origin }) => origin === 'client')
    .map(({ id, returns }) => {
      const [o, c] = ['tableoid', 'ctid'].map((name) => columnName(returns.indexOf(name)));
      return `SELECT ${o}, ${c} FROM ${cteName(id)}`;
    });
  const clients = `SELECT pg_catalog.row_number() OVER () AS n, k.* FROM (${own.join(' UNION ALL ')}) AS k (o, c)`;
  const events = plan.keys.filter(cascades).map((key) => renderEvent(plan, key));
  if (events.length === 0)
    return `${QUEUE} (n, o, c, pn, age) AS (SELECT k.n, k.o, k.c, 0::pg_catalog.int8, 0 FROM (${clients}) AS k)`;
  // One row a depth: its rows as arrays, and the places of all rows so far, none of which is deleted twice. A short step
  // looks each of its rows up among them; a long one sorts them in.
  const seen =
    'SELECT s.o, s.c, -1::pg_catalog.int8, 0 FROM ROWS FROM (pg_catalog.unnest(q.ao), pg_catalog.unnest(q.ac)) AS s (o, c)' +
    ` WHERE ${LONG_STEP}`;
  const next =
    `SELECT pg_catalog.array_agg(f.o ORDER BY f.pn, f.age, f.o, f.c), pg_catalog.array_agg(f.c ORDER BY f.pn, f.age, f.o, f.c),` +
    ` pg_catalog.array_agg(f.pn ORDER BY f.pn, f.age, f.o, f.c), pg_catalog.array_agg(f.age ORDER BY f.pn, f.age, f.o, f.c)` +
    ` FROM (SELECT DISTINCT ON (e.o, e.c) e.* FROM (\n${[...events, seen].join('\n UNION ALL ')}) AS e (o, c, pn, age)` +
    ` ORDER BY e.o, e.c, e.pn, e.age) AS f WHERE f.pn OPERATOR(pg_catalog.>) 0`;
  const step =
    `SELECT q.base OPERATOR(pg_catalog.+) pg_catalog.cardinality(q.c), d.*, q.ao OPERATOR(pg_catalog.||) d.o, q.ac OPERATOR(pg_catalog.||) d.c` +
    ` FROM q CROSS JOIN LATERAL (${next}) AS d (o, c, pn, age) WHERE d.c IS NOT NULL`;
  const start =
    `SELECT 0::pg_catalog.int8, a.o, a.c, a.pn, a.age, a.o, a.c FROM (SELECT pg_catalog.array_agg(k.o ORDER BY k.n),` +
    ` pg_catalog.array_agg(k.c ORDER BY k.n), pg_catalog.array_agg(0::pg_catalog.int8), pg_catalog.array_agg(0)` +
    ` FROM (${clients}) AS k) AS a (o, c, pn, age) WHERE a.c IS NOT NULL`;
  const all = ['o', 'c', 'pn', 'age'].map((name) => `pg_catalog.unnest(q.${name})`).join(', ');
  return (
    `${QUEUE} (n, o, c, pn, age) AS (WITH RECURSIVE q (base, o, c, pn, age, ao, ac) AS (${start}\n UNION ALL ${step})` +
    ` SELECT q.base OPERATOR(pg_catalog.+) e.n, e.o, e.c, e.pn, e.age FROM q` +
    ` CROSS JOIN LATERAL ROWS FROM (${all}) WITH ORDINALITY AS e (o, c, pn, age, n))`
  );
}

const LONG_STEP = 'pg_catalog.cardinality(q.c) OPERATOR(pg_catalog.>) 100';

/** What a key deletes for the rows of one depth: but for those that a trigger has kept. */
function renderEvent(plan: Plan, key: Plan['keys'][number]): string {
  const kept = key.referencing.mayKeepRows
    ? (plan.overlaps.get(key.referencing) ?? []).flatMap((id) => plan.deletions[id] ?? [])
    : [];
  const deleted = kept.map((deletion) => isAmong(key.referencing, deletion, 'r')).join(' OR ');
  const before = 'SELECT FROM ROWS FROM (pg_catalog.unnest(q.ao), pg_catalog.unnest(q.ac)) AS s (o, c)';
  const seen = `r.ctid OPERATOR(pg_catalog.=) ANY (q.ac) AND EXISTS (${before} WHERE ${hasPlace('r', 's')})`;
  return (
    `SELECT r.tableoid, r.ctid, q.base OPERATOR(pg_catalog.+) g.n, ${age(plan, key)}` +
    ` FROM ROWS FROM (pg_catalog.unnest(q.o), pg_catalog.unnest(q.c)) WITH ORDINALITY AS g (o, c, n)` +
    ` JOIN ${tableOf(key.referenced)} AS p ON ${hasPlace('p', 'g')}` +
    ` JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
    ` WHERE (${LONG_STEP} OR NOT (${seen}))${deleted === '' ? '' : ` AND (${deleted})`}`
  );
}
