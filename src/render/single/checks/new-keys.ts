/**
 * Checks of the new keys that SET keys give to rows: what RI_FKey_check does natively, and the second look of RI_FKey_setdefault. The
 * check of a new key is deferred where the key is deferred, whatever its action (createForeignKeyCheckTriggers).
 */
import type { ForeignKey } from '../../../graph/model.js';
import type { Check, NewKeyCheck, Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker } from '../../violations.js';
import { ROW_TABLEOID } from '../actions/changes.js';
import { hasPlace } from '../actions/deletions.js';
import {
  deletedBefore,
  deletedBeforeCheck,
  eventOf,
  outOfReach,
  parentQueuedBefore,
  queued,
} from '../actions/events.js';
import { equals } from '../actions/match.js';
import { QUEUE } from '../actions/queue.js';
import { deletedRows, tableOf } from '../actions/rows.js';
import { checkTimeOf, otherSettersOf, stateAt } from './check-time.js';
import { type Image, imagesOf, isDeleted, mayBeDeleted, predictedImage, ROW_CTID } from './images.js';
import { eventPlace, referencedMarker, type ViolationQueries } from './violation-queries.js';

/** The queries that find new keys which break a rule, for each image of the rows that have them. */
export function newKeyQueries(check: NewKeyCheck, index: number, plan: Plan): readonly ViolationQueries[] {
  const { kind, by, change, key, within } = check;
  const found = imagesOf(plan, change, by, key, within).map((image) =>
    QUERIES[kind](check, index, plan, image),
  );
  const together = otherSettersOf(plan, check).length > 0;
  const image = kind === 'same key' && !together ? undefined : predictedImage(plan, change, by, key, within);
  if (image === undefined) return found;
  // Only the predicted image tells the order of the rows, and what each of several SET keys makes of a row.
  const predicted = QUERIES[kind](check, index, plan, image);
  const suspects = [...found, ...(together ? [predicted] : [])]
    .map((each) => each.suspects)
    .join(' UNION ALL ');
  return [{ suspects, ordered: predicted.ordered, certain: found.flatMap(({ certain }) => certain) }];
}

const QUERIES = { 'same key': sameKey, 'new key': newKey, 'mixed key': mixedKey };

/**
 * By SET DEFAULT a row references a deleted row again: the one that it referenced before, or one that is deleted later. The event of that
 * deleted row finds the row. In `ordered`:
 *
 *     SELECT … FROM pgc_q AS q JOIN ONLY users AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid
 *       JOIN pgc_u0_0 AS u ON p.id = u.author
 *       JOIN pgc_q AS b ON b.tableoid = u.pgc_o0 AND b.ctid = u.pgc_t0 AND b.position <= q.position
 */
function sameKey(check: NewKeyCheck, index: number, plan: Plan, image: Image): ViolationQueries {
  const { key, by } = check;
  const { rows, column } = deletedRows(plan, key.referenced);
  const suspects = `${rows} AS p JOIN ${image.rows} AS u ON ${equals(key, 'p', column, 'u')}`;
  const values = key.columns.map(({ referenced }) => `p.${column(referenced)}`);
  const selected = `SELECT ${eventPlace(plan, key)}, ${referencedMarker(index, key)} FROM`;
  const event = eventOf(plan, by, 'q.position');
  const own = `JOIN ${placed(image, by, plan)} AND b.position OPERATOR(pg_catalog.<=) q.position`;
  const direct = `${selected} ${queued(key)} JOIN ${image.rows} AS u ON ${equals(key, 'p', quoteName, 'u')} ${own}`;
  const ordered = {
    stays: direct,
    deleted: `${direct} AND ${event} OPERATOR(pg_catalog.<) ROW(g.parent_position, g.key_order)`,
    either:
      `${selected} ${queued(key)} CROSS JOIN ${image.rows} AS u ${own} JOIN ${rowOf(by)} AND NOT ${deletedBefore('r', event)}` +
      `${stateAt(check, plan, event)} WHERE ${equals(key, 'p', quoteName, 's')}`,
  }[image.fate];
  return {
    suspects: `SELECT FROM ${suspects}`,
    certain: image.fate === 'stays' ? [`SELECT ${checkMarker(index, '0', values)} FROM ${suspects}`] : [],
    ordered: [ordered],
  };
}

/**
 * By SET DEFAULT a row has a key that no row of the referenced table has, or only rows that are deleted before the check. The check
 * comes after all that was queued before the row was changed. Where the key is not the SET DEFAULT key itself, a referenced row that is
 * deleted is left to undecided.ts. In `suspects`:
 *
 *     SELECT FROM pgc_u0_0 AS u WHERE u.author IS NOT NULL
 *       AND (NOT EXISTS (SELECT FROM ONLY users AS t WHERE t.id = u.author) OR EXISTS (SELECT FROM pgc_0 AS p WHERE p.pgc_c0 = u.author))
 */
function newKey(check: NewKeyCheck, index: number, plan: Plan, image: Image): ViolationQueries {
  const { key, by } = check;
  const referenced = `${tableOf(key.referenced)} AS t`;
  const { rows, column } = deletedRows(plan, key.referenced);
  const marker = (row: string) => checkMarker(index, `u.${ROW_TABLEOID}`, columnsOf(key, row));
  const missing = (row: string) =>
    `NOT EXISTS (SELECT FROM ${referenced} WHERE ${equals(key, 't', quoteName, row)})`;
  const complete = (row: string) =>
    columnsOf(key, row)
      .map((each) => `${each} IS NOT NULL`)
      .join(' AND ');
  const deleted =
    key === by ? ` OR EXISTS (SELECT FROM ${rows} AS p WHERE ${equals(key, 'p', column, 'u')})` : '';
  const broken = `${image.rows} AS u WHERE ${complete('u')} AND (${missing('u')}${deleted})`;
  const { place, joins, row, event } = checkTimeOf(check, plan, image);
  const before =
    ` OR EXISTS (SELECT FROM ${referenced} JOIN ${QUEUE} AS d ON ${hasPlace('d', 't')}` +
    ` LEFT JOIN ${QUEUE} AS e ON e.position OPERATOR(pg_catalog.=) d.parent_position WHERE ${equals(key, 't', quoteName, row)}${key.deferred ? '' : ` AND ${parentQueuedBefore(event)}`})`;
  const ordered =
    `SELECT ${place}, ${marker(row)} FROM ${image.rows} AS u JOIN ${changed(image, by, plan)}${joins}` +
    ` WHERE ${complete(row)} AND (${missing(row)}${key === by ? before : ''})${stillThere(image, key, event)}`;
  return {
    suspects: `SELECT FROM ${broken}`,
    certain: image.fate === 'stays' ? [`SELECT ${marker('u')} FROM ${broken}`] : [],
    ordered: [ordered],
  };
}

function columnsOf(key: ForeignKey, row: string): readonly string[] {
  return key.columns.map(({ referencing }) => `${row}.${quoteName(referencing)}`);
}

/**
 * A MATCH FULL key has null in some of its columns, and not in all. In `suspects`:
 *
 *     SELECT FROM pgc_u0_0 AS u WHERE (u.shop IS NULL OR u.number IS NULL) AND (u.shop IS NOT NULL OR u.number IS NOT NULL)
 */
function mixedKey(check: NewKeyCheck, index: number, plan: Plan, image: Image): ViolationQueries {
  const { key, by } = check;
  const mixed = (row: string) => {
    const some = (what: string) =>
      `(${columnsOf(key, row)
        .map((each) => `${each} ${what}`)
        .join(' OR ')})`;
    return `${some('IS NULL')} AND ${some('IS NOT NULL')}`;
  };
  const marker = checkMarker(index, `u.${ROW_TABLEOID}`, []);
  const broken = `${image.rows} AS u WHERE ${mixed('u')}`;
  const { place, joins, row, event } = checkTimeOf(check, plan, image);
  return {
    suspects: `SELECT FROM ${broken}`,
    certain: image.fate === 'stays' ? [`SELECT ${marker} FROM ${broken}`] : [],
    ordered: [
      `SELECT ${place}, ${marker} FROM ${image.rows} AS u JOIN ${changed(image, by, plan)}${joins} WHERE ${mixed(row)}${stillThere(image, key, event)}`,
    ],
  };
}

/**
 * SET NULL of a NOT NULL column, in a row that is deleted later: natively the UPDATE comes first, and fails. In `ordered`, with the values
 * of the row as PostgreSQL shows them:
 *
 *     SELECT …, format('pgcascade/…/0/%s/(%s, %s, %s)', r.tableoid, …, 'null', …)
 *     FROM pgc_q AS q JOIN ONLY a AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid JOIN ONLY c AS r ON p.id = r.a
 *       JOIN pgc_q AS g ON g.tableoid = r.tableoid AND g.ctid = r.ctid
 *     WHERE ROW(q.position, 2) < ROW(g.parent_position, g.key_order)
 */
export function notNullQueries(
  { key }: Check & { kind: 'not null' },
  index: number,
  plan: Plan,
): readonly ViolationQueries[] {
  if (!mayBeDeleted(plan, key)) return [];
  const { rows, column: known } = deletedRows(plan, key.referenced);
  const values = key.referencing.columns.map(({ name }) => {
    const own = `r.${quoteName(name)}`;
    if (key.setColumns.includes(name)) return `'null'`;
    // As in ExecBuildSlotValueDescription.
    const text = `pg_catalog.format('%s', ${own})`;
    const cut = `CASE WHEN pg_catalog.length(${text}) OPERATOR(pg_catalog.>) 64 THEN pg_catalog.concat(pg_catalog.left(${text}, 64), '...') ELSE ${text} END`;
    return `CASE WHEN pg_catalog.num_nulls(${own}) OPERATOR(pg_catalog.=) 1 THEN 'null' ELSE ${cut} END`;
  });
  const event = eventOf(plan, key, 'q.position');
  const first = [
    `${event} OPERATOR(pg_catalog.<) ROW(g.parent_position, g.key_order)`,
    ...outOfReach(plan, key, 'r', 'q.position').map((each) => `NOT ${each}`),
  ];
  return [
    {
      suspects: `SELECT FROM ${rows} AS p JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', known, 'r')} WHERE ${isDeleted(plan, key, 'r')}`,
      certain: [],
      ordered: [
        `SELECT ${eventPlace(plan, key, false, 'q', 'r')}, ${checkMarker(index, 'r.tableoid', values)} FROM ${queued(key)}` +
          ` JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
          ` JOIN ${QUEUE} AS g ON ${hasPlace('g', 'r')} WHERE ${first.join(' AND ')}`,
      ],
    },
  ];
}

/**
 * A join to an image `u`: with the place `b` in the queue of the row that the changed row referenced before; and where the changed row is
 * deleted later, also with its own place `g`. `pgc_q AS b ON b.tableoid = u.pgc_o0 AND b.ctid = u.pgc_t0`
 */
export function placed({ tableoid, ctid, fate }: Image, by: ForeignKey, plan: Plan): string {
  const was = `${QUEUE} AS b ON b.tableoid OPERATOR(pg_catalog.=) u.${tableoid} AND b.ctid OPERATOR(pg_catalog.=) u.${ctid}`;
  if (fate !== 'deleted') return was;
  const later = `${eventOf(plan, by, 'b.position')} OPERATOR(pg_catalog.<) ROW(g.parent_position, g.key_order)`;
  return `${was} JOIN ${QUEUE} AS g ON g.tableoid OPERATOR(pg_catalog.=) u.${ROW_TABLEOID} AND g.ctid OPERATOR(pg_catalog.=) u.${ROW_CTID} AND ${later}`;
}

/**
 * As `placed`. Where the image may have rows that are deleted later, it is also joined with the row as it was, `r`, unless another SET key
 * changed `r` first.
 */
function changed(image: Image, by: ForeignKey, plan: Plan): string {
  if (image.fate === 'stays') return placed(image, by, plan);
  const found = outOfReach(plan, by, 'r', 'b.position').map((each) => ` AND NOT ${each}`);
  return `${placed(image, by, plan)} JOIN ${rowOf(by)}${found.join('')}`;
}

/** ` AND …`: the row is not deleted before the check that this event has queued. */
function stillThere({ fate }: Image, key: ForeignKey, event: string): string {
  if (fate === 'stays') return '';
  return ` AND NOT ${key.deferred ? deletedBefore('r') : deletedBeforeCheck('r', event)}`;
}

/** A join to an image `u`: with its row as it was. `ONLY posts AS r ON r.tableoid = u.pgc_w AND r.ctid = u.pgc_p` */
function rowOf(by: ForeignKey): string {
  return `${tableOf(by.referencing)} AS r ON r.tableoid OPERATOR(pg_catalog.=) u.${ROW_TABLEOID} AND r.ctid OPERATOR(pg_catalog.=) u.${ROW_CTID}`;
}
