/**
 * Checks of the keys that SET keys give to rows: what RI_FKey_check does natively, and what RI_FKey_setdefault looks at once
 * more. The check of a new key is deferred where the key is, whatever its action (createForeignKeyCheckTriggers).
 */
import type { ForeignKey } from '../../../graph/model.js';
import type { Check, NewKeyCheck, Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker } from '../../violations.js';
import { WITHIN } from '../actions/changes.js';
import { eventOf, goneBefore, goneBeforeCheck, outOfReach, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { QUEUE } from '../actions/queue.js';
import { deletedRows, tableOf } from '../actions/rows.js';
import { type Broken, eventPlace, referencedMarker } from './broken.js';
import { goes, type Image, imageBefore, imagesOf, mayGo, OWN_PLACE } from './images.js';
import { keysBeside, stateAt, turnOf } from './turns.js';

/** The SQL that finds new keys which break the rule of a check, for each image of the rows that have them. */
export function newKeysBroken(check: NewKeyCheck, index: number, plan: Plan): readonly Broken[] {
  const { kind, by, change, key, within } = check;
  const found = imagesOf(plan, change, by, key, within).map((image) =>
    BROKEN[kind](check, index, plan, image),
  );
  const together = keysBeside(plan, check).length > 0;
  const image = kind === 'same key' && !together ? undefined : imageBefore(plan, change, by, key, within);
  if (image === undefined) return found;
  // The order of the rows, and what one of several keys makes of them, is known only of those from before.
  const before = BROKEN[kind](check, index, plan, image);
  const suspects = [...found, ...(together ? [before] : [])].map((each) => each.suspects).join(' UNION ALL ');
  return [{ suspects, ordered: before.ordered, certain: found.flatMap(({ certain }) => certain) }];
}

const BROKEN = { 'same key': sameKey, 'new key': newKey, 'mixed key': mixedKey };

/**
 * SET DEFAULT gave a row the key of a deleted row, which is the row that it referenced before or one deleted after that: the
 * action of the deleted row finds it there again. In `ordered`:
 *
 *     SELECT … FROM pgc_q AS q JOIN ONLY users AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid
 *       JOIN pgc_u0_0 AS u ON p.id = u.author
 *       JOIN pgc_q AS b ON b.tableoid = u.pgc_o0 AND b.ctid = u.pgc_t0 AND b.position <= q.position
 */
function sameKey(check: NewKeyCheck, index: number, plan: Plan, image: Image): Broken {
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
    goes: `${direct} AND ${event} OPERATOR(pg_catalog.<) ROW(g.parent_position, g.key_order)`,
    either:
      `${selected} ${queued(key)} CROSS JOIN ${image.rows} AS u ${own} JOIN ${rowOf(by)} AND NOT ${goneBefore('r', event)}` +
      `${stateAt(check, plan, event)} WHERE ${equals(key, 'p', quoteName, 's')}`,
  }[image.fate];
  return {
    suspects: `SELECT FROM ${suspects}`,
    certain: image.fate === 'stays' ? [`SELECT ${checkMarker(index, '0', values)} FROM ${suspects}`] : [],
    ordered: [ordered],
  };
}

/**
 * SET DEFAULT gave a row a key that no row of the referenced table has, or none that is still there when the check comes. The
 * check comes after all that was queued before the row was changed. Where the key is another one than the SET DEFAULT key,
 * a referenced row that is deleted is not looked at here: the statement stops itself (doubts.ts). In `suspects`:
 *
 *     SELECT FROM pgc_u0_0 AS u WHERE u.author IS NOT NULL
 *       AND (NOT EXISTS (SELECT FROM ONLY users AS t WHERE t.id = u.author) OR EXISTS (SELECT FROM pgc_0 AS p WHERE p.pgc_c0 = u.author))
 */
function newKey(check: NewKeyCheck, index: number, plan: Plan, image: Image): Broken {
  const { key, by } = check;
  const referenced = `${tableOf(key.referenced)} AS t`;
  const { rows, column } = deletedRows(plan, key.referenced);
  const marker = (row: string) => checkMarker(index, `u.${WITHIN}`, columnsOf(key, row));
  const missing = (row: string) =>
    `NOT EXISTS (SELECT FROM ${referenced} WHERE ${equals(key, 't', quoteName, row)})`;
  const complete = (row: string) =>
    columnsOf(key, row)
      .map((each) => `${each} IS NOT NULL`)
      .join(' AND ');
  const deleted =
    key === by ? ` OR EXISTS (SELECT FROM ${rows} AS p WHERE ${equals(key, 'p', column, 'u')})` : '';
  const broken = `${image.rows} AS u WHERE ${complete('u')} AND (${missing('u')}${deleted})`;
  const { turn, joins, row, event } = turnOf(check, plan, image);
  const queuedBefore = `e.position IS NULL OR ROW(e.parent_position, e.key_order) OPERATOR(pg_catalog.<) ${event}`;
  const before =
    ` OR EXISTS (SELECT FROM ${referenced} JOIN ${QUEUE} AS d ON d.tableoid OPERATOR(pg_catalog.=) t.tableoid AND d.ctid OPERATOR(pg_catalog.=) t.ctid` +
    ` LEFT JOIN ${QUEUE} AS e ON e.position OPERATOR(pg_catalog.=) d.parent_position WHERE ${equals(key, 't', quoteName, row)}${key.deferred ? '' : ` AND (${queuedBefore})`})`;
  const ordered =
    `SELECT ${turn}, ${marker(row)} FROM ${image.rows} AS u JOIN ${changed(image, by, plan)}${joins}` +
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
 * A key of MATCH FULL has some columns that are null, and some that are not. In `suspects`:
 *
 *     SELECT FROM pgc_u0_0 AS u WHERE (u.shop IS NULL OR u.number IS NULL) AND (u.shop IS NOT NULL OR u.number IS NOT NULL)
 */
function mixedKey(check: NewKeyCheck, index: number, plan: Plan, image: Image): Broken {
  const { key, by } = check;
  const mixed = (row: string) => {
    const some = (what: string) =>
      `(${columnsOf(key, row)
        .map((each) => `${each} ${what}`)
        .join(' OR ')})`;
    return `${some('IS NULL')} AND ${some('IS NOT NULL')}`;
  };
  const marker = checkMarker(index, `u.${WITHIN}`, []);
  const broken = `${image.rows} AS u WHERE ${mixed('u')}`;
  const { turn, joins, row, event } = turnOf(check, plan, image);
  return {
    suspects: `SELECT FROM ${broken}`,
    certain: image.fate === 'stays' ? [`SELECT ${marker} FROM ${broken}`] : [],
    ordered: [
      `SELECT ${turn}, ${marker} FROM ${image.rows} AS u JOIN ${changed(image, by, plan)}${joins} WHERE ${mixed(row)}${stillThere(image, key, event)}`,
    ],
  };
}

/**
 * A row that is deleted later is set to NULL before, in a column that takes no NULL. In `ordered`, with the values of the
 * row as PostgreSQL shows them:
 *
 *     SELECT …, format('pgcascade/…/0/%s/(%s, %s, %s)', r.tableoid, …, 'null', …)
 *     FROM pgc_q AS q JOIN ONLY a AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid JOIN ONLY c AS r ON p.id = r.a
 *       JOIN pgc_q AS g ON g.tableoid = r.tableoid AND g.ctid = r.ctid
 *     WHERE ROW(q.position, 2) < ROW(g.parent_position, g.key_order)
 */
export function nullsBroken(
  { key }: Check & { kind: 'not null' },
  index: number,
  plan: Plan,
): readonly Broken[] {
  if (!mayGo(plan, key)) return [];
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
      suspects: `SELECT FROM ${rows} AS p JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', known, 'r')} WHERE ${goes(plan, key, 'r')}`,
      certain: [],
      ordered: [
        `SELECT ${eventPlace(plan, key, false, 'q', 'r')}, ${checkMarker(index, 'r.tableoid', values)} FROM ${queued(key)}` +
          ` JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
          ` JOIN ${QUEUE} AS g ON g.tableoid OPERATOR(pg_catalog.=) r.tableoid AND g.ctid OPERATOR(pg_catalog.=) r.ctid WHERE ${first.join(' AND ')}`,
      ],
    },
  ];
}

/**
 * To join to an image `u`: the queue's row `b` that the image's row referenced before; and the queue's row `g` of the image's
 * row itself, where that is deleted later. `pgc_q AS b ON b.tableoid = u.pgc_o0 AND b.ctid = u.pgc_t0`
 */
export function placed({ tableoid, ctid, fate }: Image, by: ForeignKey, plan: Plan): string {
  const was = `${QUEUE} AS b ON b.tableoid OPERATOR(pg_catalog.=) u.${tableoid} AND b.ctid OPERATOR(pg_catalog.=) u.${ctid}`;
  if (fate !== 'goes') return was;
  const later = `${eventOf(plan, by, 'b.position')} OPERATOR(pg_catalog.<) ROW(g.parent_position, g.key_order)`;
  return `${was} JOIN ${QUEUE} AS g ON g.tableoid OPERATOR(pg_catalog.=) u.${WITHIN} AND g.ctid OPERATOR(pg_catalog.=) u.${OWN_PLACE} AND ${later}`;
}

/**
 * The same for rows that the key has changed. Where the image also has rows that are deleted later, the row as it was is joined
 * too, as `r`.
 */
function changed(image: Image, by: ForeignKey, plan: Plan): string {
  if (image.fate === 'stays') return placed(image, by, plan);
  const found = outOfReach(plan, by, 'r', 'b.position').map((each) => ` AND NOT ${each}`);
  return `${placed(image, by, plan)} JOIN ${rowOf(by)}${found.join('')}`;
}

/** A condition, with its AND: the row is still there when the check comes that this event has queued. */
function stillThere({ fate }: Image, key: ForeignKey, event: string): string {
  if (fate === 'stays') return '';
  return ` AND NOT ${key.deferred ? goneBefore('r') : goneBeforeCheck('r', event)}`;
}

/** To join to an image `u`: its row as it was. `ONLY posts AS r ON r.tableoid = u.pgc_w AND r.ctid = u.pgc_p` */
function rowOf(by: ForeignKey): string {
  return `${tableOf(by.referencing)} AS r ON r.tableoid OPERATOR(pg_catalog.=) u.${WITHIN} AND r.ctid OPERATOR(pg_catalog.=) u.${OWN_PLACE}`;
}
