/**
 * The order in which PostgreSQL would have deleted the rows of a cascade, as a CTE. The server evaluates it only where a rule
 * depends on the order.
 *
 * Natively every deleted row queues one event for each key, oldest key first. The rows that an event deletes queue their
 * events after all that wait (trigger.c, AfterTriggerSaveEvent; ri_triggers.c runs its queries with fire_triggers = false).
 * So the rows of one depth come before those of the next. Within a depth they come in the order of the rows that they
 * referenced, then of the keys, then as one event finds them.
 */

import type { ForeignKey } from '../../../graph/model.js';
import { cascades, oncePerPlan, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import { hasPlace } from './deletions.js';
import { equals } from './match.js';
import { columnName, cteName, isDeletedBy, tableOf } from './rows.js';

/**
 * The CTE's name. `position` is the deleted row's place in the queue, `tableoid` and `ctid` say which row it is;
 * `parent_position` and `key_order` are the event that deleted the row: the place in the queue of the row it referenced, and
 * the order of the key. Both are 0 for the client's own rows.
 */
export const QUEUE = ownName('q');

const ROW = 'tableoid, ctid';
const EVENT = 'parent_position, key_order';
const HEADER = `${QUEUE} (position, ${ROW}, ${EVENT})`;

/** The place of a key among those that fire for one row, from 1 on. */
export function keyOrder(plan: Plan, key: ForeignKey): number {
  return keyOrders(plan).get(key) ?? 0;
}

const keyOrders = oncePerPlan(({ keys }) => new Map(keys.map((key, i) => [key, i + 1])));

/**
 * The queue. Operators without their schema here, and the columns of `posts_author_fkey` for those of all keys:
 *
 *     pgc_q (position, tableoid, ctid, parent_position, key_order) AS (
 *       WITH RECURSIVE q (base, tableoids, ctids, parent_positions, key_orders, all_tableoids, all_ctids) AS (
 *         SELECT 0, … FROM (the rows that the client deletes, numbered, as arrays)
 *         UNION ALL
 *         SELECT q.base + cardinality(q.ctids), d.*, q.all_tableoids || d.tableoid, q.all_ctids || d.ctid
 *         FROM q CROSS JOIN LATERAL (the rows of the next depth, as arrays) AS d … WHERE d.ctid IS NOT NULL)
 *       SELECT q.base + e.position, e.tableoid, e.ctid, e.parent_position, e.key_order
 *       FROM q CROSS JOIN LATERAL ROWS FROM (unnest(q.tableoids), …) WITH ORDINALITY AS e (…, position))
 *
 * One row of `q` is one depth: the depth's rows as arrays, and the places of all rows so far, as no row is deleted twice.
 */
export function renderQueue(plan: Plan): string {
  const clients = clientRows(plan);
  const keys = plan.keys.filter(cascades);
  if (keys.length === 0)
    return `${HEADER} AS (SELECT k.position, k.tableoid, k.ctid, 0::pg_catalog.int8, 0 FROM (${clients}) AS k)`;
  const start =
    `SELECT 0::pg_catalog.int8, a.tableoid, a.ctid, a.parent_position, a.key_order, a.tableoid, a.ctid FROM (SELECT` +
    ` pg_catalog.array_agg(k.tableoid ORDER BY k.position), pg_catalog.array_agg(k.ctid ORDER BY k.position),` +
    ` pg_catalog.array_agg(0::pg_catalog.int8), pg_catalog.array_agg(0)` +
    ` FROM (${clients}) AS k) AS a (${ROW}, ${EVENT}) WHERE a.ctid IS NOT NULL`;
  const step =
    `SELECT q.base OPERATOR(pg_catalog.+) pg_catalog.cardinality(q.ctids), d.*,` +
    ` q.all_tableoids OPERATOR(pg_catalog.||) d.tableoid, q.all_ctids OPERATOR(pg_catalog.||) d.ctid` +
    ` FROM q CROSS JOIN LATERAL (${nextDepth(plan, keys)}) AS d (${ROW}, ${EVENT}) WHERE d.ctid IS NOT NULL`;
  const depths = 'q (base, tableoids, ctids, parent_positions, key_orders, all_tableoids, all_ctids)';
  return (
    `${HEADER} AS (WITH RECURSIVE ${depths} AS (${start}\n UNION ALL ${step})` +
    ` SELECT q.base OPERATOR(pg_catalog.+) e.position, e.tableoid, e.ctid, e.parent_position, e.key_order FROM q` +
    ` CROSS JOIN LATERAL ${rowsFrom('tableoids', 'ctids', 'parent_positions', 'key_orders')}` +
    ` WITH ORDINALITY AS e (${ROW}, ${EVENT}, position))`
  );
}

/**
 * The client's own rows, numbered:
 *
 *     SELECT row_number() OVER () AS position, k.* FROM (SELECT pgc_c1, pgc_c2 FROM pgc_0) AS k (tableoid, ctid)
 */
function clientRows(plan: Plan): string {
  const deletions = plan.deletions.filter(({ origin }) => origin === 'client');
  const rows = deletions.map(({ id, returns }) => {
    const place = ['tableoid', 'ctid'].map((name) => columnName(returns.indexOf(name)));
    return `SELECT ${place.join(', ')} FROM ${cteName(id)}`;
  });
  return `SELECT pg_catalog.row_number() OVER () AS position, k.* FROM (${rows.join(' UNION ALL ')}) AS k (${ROW})`;
}

/**
 * The rows that the keys delete for the rows of one depth, each row by the event that comes first, as arrays:
 *
 *     SELECT array_agg(f.tableoid ORDER BY f.parent_position, f.key_order, f.tableoid, f.ctid), array_agg(f.ctid …), …
 *     FROM (SELECT DISTINCT ON (e.tableoid, e.ctid) e.* FROM (
 *         SELECT r.tableoid, r.ctid, q.base + g.position, 1 FROM …     -- an arm for each key
 *         UNION ALL SELECT s.tableoid, s.ctid, -1, 0 FROM … AS s       -- the rows so far come first,
 *       ) AS e (tableoid, ctid, parent_position, key_order)
 *       ORDER BY e.tableoid, e.ctid, e.parent_position, e.key_order) AS f
 *     WHERE f.parent_position > 0                                      -- and are left out here
 *
 * The rows of a short depth are looked up among those so far instead (`renderEvent`); the rows of a long one are sorted in.
 */
function nextDepth(plan: Plan, keys: readonly ForeignKey[]): string {
  const soFar =
    `SELECT s.tableoid, s.ctid, -1::pg_catalog.int8, 0 FROM ${rowsFrom('all_tableoids', 'all_ctids')} AS s (${ROW})` +
    ` WHERE ${LONG_DEPTH}`;
  const arms = [...keys.map((key) => renderEvent(plan, key)), soFar];
  const columns = ['tableoid', 'ctid', 'parent_position', 'key_order'].map(
    (name) => `pg_catalog.array_agg(f.${name} ORDER BY f.parent_position, f.key_order, f.tableoid, f.ctid)`,
  );
  return (
    `SELECT ${columns.join(', ')} FROM (SELECT DISTINCT ON (e.tableoid, e.ctid) e.* FROM (\n${arms.join('\n UNION ALL ')})` +
    ` AS e (${ROW}, ${EVENT}) ORDER BY e.tableoid, e.ctid, e.parent_position, e.key_order) AS f` +
    ` WHERE f.parent_position OPERATOR(pg_catalog.>) 0`
  );
}

const LONG_DEPTH = 'pg_catalog.cardinality(q.ctids) OPERATOR(pg_catalog.>) 100';

/**
 * The rows that a key deletes for the rows of one depth, without those that a trigger has kept.
 *
 *     SELECT r.tableoid, r.ctid, q.base + g.position, 1
 *     FROM ROWS FROM (unnest(q.tableoids), unnest(q.ctids)) WITH ORDINALITY AS g (tableoid, ctid, position)
 *     JOIN ONLY users AS p ON p.tableoid = g.tableoid AND p.ctid = g.ctid
 *     JOIN ONLY posts AS r ON p.id = r.author
 *     WHERE cardinality(q.ctids) > 100 OR NOT (r.ctid = ANY (q.all_ctids) AND EXISTS (… of the rows so far))
 */
function renderEvent(plan: Plan, key: ForeignKey): string {
  const kept = key.referencing.mayKeepRows
    ? (plan.overlaps.get(key.referencing) ?? []).flatMap((id) => plan.deletions[id] ?? [])
    : [];
  const deleted = kept.map((deletion) => isDeletedBy(key.referencing, deletion, 'r')).join(' OR ');
  const soFar = `SELECT FROM ${rowsFrom('all_tableoids', 'all_ctids')} AS s (${ROW}) WHERE ${hasPlace('r', 's')}`;
  const isDeleted = `r.ctid OPERATOR(pg_catalog.=) ANY (q.all_ctids) AND EXISTS (${soFar})`;
  return (
    `SELECT r.tableoid, r.ctid, q.base OPERATOR(pg_catalog.+) g.position, ${keyOrder(plan, key)}` +
    ` FROM ${rowsFrom('tableoids', 'ctids')} WITH ORDINALITY AS g (${ROW}, position)` +
    ` JOIN ${tableOf(key.referenced)} AS p ON ${hasPlace('p', 'g')}` +
    ` JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
    ` WHERE (${LONG_DEPTH} OR NOT (${isDeleted}))${deleted === '' ? '' : ` AND (${deleted})`}`
  );
}

/** `ROWS FROM (unnest(q.tableoids), unnest(q.ctids))` */
function rowsFrom(...arrays: readonly string[]): string {
  return `ROWS FROM (${arrays.map((name) => `pg_catalog.unnest(q.${name})`).join(', ')})`;
}
