/** Checks of the keys that SET keys make: RI_FKey_check, and what RI_FKey_setdefault looks at once more. */
import type { ForeignKey } from '../graph/model.js';
import { quoteName } from '../sql/names.js';
import { type Broken, referencedMarker } from './broken.js';
import { WITHIN } from './changes.js';
import { eventOf, goneBefore, goneBeforeCheck, outOfReach, queued } from './events.js';
import { goes, type Image, imagesOf, mayGo, OWN_PLACE } from './images.js';
import { equals } from './match.js';
import { type Check, isLate, type NewKeyCheck, type Plan } from './plan.js';
import { age, QUEUE } from './queue.js';
import { deletedRows, tableOf } from './rows.js';
import { checkMarker } from './violations.js';

export function newKeysBroken(check: NewKeyCheck, place: number, plan: Plan): readonly Broken[] {
  const { by, change, key, within } = check;
  return imagesOf(plan, change, by, key, within).map((image) => {
    const broken = BROKEN[check.kind];
    return broken(check, place, plan, image);
  });
}

const BROKEN = { 'same key': sameKey, 'new key': newKey, 'mixed key': mixedKey };

/**
 * SET DEFAULT gave a row the key of a row that is deleted with or behind the one it referenced: its own action finds it
 * there again.
 */
function sameKey({ key, by }: NewKeyCheck, place: number, plan: Plan, image: Image): Broken {
  const { rows, column } = deletedRows(plan, key.to);
  const suspects = `${rows} AS p JOIN ${image.rows} AS u ON ${equals(key, 'p', column, 'u')}`;
  const values = key.columns.map(({ to }) => `p.${column(to)}`);
  const marker = referencedMarker(place, key);
  const there =
    image.fate === 'stays' ? '' : ` AND ${eventOf(plan, by, 'q.n')} OPERATOR(pg_catalog.<) ROW(g.pn, g.age)`;
  return {
    suspects: `SELECT FROM ${suspects}`,
    certain: image.fate === 'stays' ? [`SELECT ${checkMarker(place, '0', values)} FROM ${suspects}`] : [],
    ordered: [
      `SELECT false, q.pn, q.age, q.n, ${age(plan, key)}, ${marker} FROM ${queued(key)}` +
        ` JOIN ${image.rows} AS u ON ${equals(key, 'p', quoteName, 'u')} JOIN ${placed(image, by, plan)}` +
        ` AND b.n OPERATOR(pg_catalog.<=) q.n${there}`,
    ],
  };
}

/**
 * SET DEFAULT gave a row a key that no row of the referenced table has, or none that is still there when the check comes:
 * behind all that was queued before the row was changed. Where another key set columns of this one, a row that is
 * deleted is not looked at here: the statement stops itself (doubts.ts).
 */
function newKey({ key, by }: NewKeyCheck, place: number, plan: Plan, image: Image): Broken {
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const marker = checkMarker(place, `u.${WITHIN}`, columns);
  const complete = columns.map((each) => `${each} IS NOT NULL`).join(' AND ');
  const referenced = `${tableOf(key.to)} AS t`;
  const same = equals(key, 't', quoteName, 'u');
  const missing = `NOT EXISTS (SELECT FROM ${referenced} WHERE ${same})`;
  const { rows, column } = deletedRows(plan, key.to);
  const deleted =
    key === by ? ` OR EXISTS (SELECT FROM ${rows} AS p WHERE ${equals(key, 'p', column, 'u')})` : '';
  const broken = `${image.rows} AS u WHERE ${complete} AND (${missing}${deleted})`;
  const queuedBefore = `e.n IS NULL OR ROW(e.pn, e.age) OPERATOR(pg_catalog.<) ${eventOf(plan, by, 'b.n')}`;
  const before =
    `EXISTS (SELECT FROM ${referenced} JOIN ${QUEUE} AS d ON d.o OPERATOR(pg_catalog.=) t.tableoid AND d.c OPERATOR(pg_catalog.=) t.ctid` +
    ` LEFT JOIN ${QUEUE} AS e ON e.n OPERATOR(pg_catalog.=) d.pn WHERE ${same}${isLate(key) ? '' : ` AND (${queuedBefore})`})`;
  return {
    suspects: `SELECT FROM ${broken}`,
    certain: image.fate === 'stays' ? [`SELECT ${marker} FROM ${broken}`] : [],
    ordered: [
      `SELECT ${isLate(key)}, b.n, ${age(plan, by)}, 0::pg_catalog.int8, ${place}, ${marker} FROM ${image.rows} AS u` +
        ` JOIN ${checked(image, by, plan, key)} WHERE ${complete} AND (${missing}${key === by ? ` OR ${before}` : ''})`,
    ],
  };
}

/** A key of MATCH FULL has some columns that are null, and some that are not. */
function mixedKey({ key, by }: NewKeyCheck, place: number, plan: Plan, image: Image): Broken {
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const some = (what: string) => `(${columns.map((each) => `${each} ${what}`).join(' OR ')})`;
  const mixed = `${some('IS NULL')} AND ${some('IS NOT NULL')}`;
  const marker = checkMarker(place, `u.${WITHIN}`, []);
  const stays = image.fate === 'stays';
  return {
    suspects: `SELECT FROM ${image.rows} AS u WHERE ${mixed}`,
    certain: stays ? [`SELECT ${marker} FROM ${image.rows} AS u WHERE ${mixed}`] : [],
    ordered: [
      `SELECT ${isLate(key)}, b.n, ${age(plan, by)}, 0::pg_catalog.int8, ${place}, ${marker} FROM ${image.rows} AS u` +
        ` JOIN ${checked(image, by, plan, key)} WHERE ${mixed}`,
    ],
  };
}

/** A row that is deleted later is set to NULL before, where no NULL is allowed. */
export function nullsBroken(
  { key }: Check & { kind: 'not null' },
  place: number,
  plan: Plan,
): readonly Broken[] {
  if (!mayGo(plan, key)) return [];
  const { rows, column: known } = deletedRows(plan, key.to);
  const values = key.from.columns.map(({ name }) => {
    const own = `r.${quoteName(name)}`;
    if (key.setColumns.includes(name)) return `'null'`;
    // As in ExecBuildSlotValueDescription.
    const text = `pg_catalog.format('%s', ${own})`;
    const cut = `CASE WHEN pg_catalog.length(${text}) OPERATOR(pg_catalog.>) 64 THEN pg_catalog.concat(pg_catalog.left(${text}, 64), '...') ELSE ${text} END`;
    return `CASE WHEN pg_catalog.num_nulls(${own}) OPERATOR(pg_catalog.=) 1 THEN 'null' ELSE ${cut} END`;
  });
  const event = eventOf(plan, key, 'q.n');
  const first = [
    `${event} OPERATOR(pg_catalog.<) ROW(g.pn, g.age)`,
    ...outOfReach(plan, key, 'r', 'q.n').map((each) => `NOT ${each}`),
  ];
  return [
    {
      suspects: `SELECT FROM ${rows} AS p JOIN ${tableOf(key.from)} AS r ON ${equals(key, 'p', known, 'r')} WHERE ${goes(plan, key, 'r')}`,
      certain: [],
      ordered: [
        `SELECT false, q.pn, q.age, q.n, ${age(plan, key)}, ${checkMarker(place, 'r.tableoid', values)} FROM ${queued(key)}` +
          ` JOIN ${tableOf(key.from)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
          ` JOIN ${QUEUE} AS g ON g.o OPERATOR(pg_catalog.=) r.tableoid AND g.c OPERATOR(pg_catalog.=) r.ctid WHERE ${first.join(' AND ')}`,
      ],
    },
  ];
}

/** The queue's row `b` that the image's row referenced before; and `g` of the row itself, where it is deleted later. */
export function placed({ tableoid, ctid, fate }: Image, by: ForeignKey, plan: Plan): string {
  const was = `${QUEUE} AS b ON b.o OPERATOR(pg_catalog.=) u.${tableoid} AND b.c OPERATOR(pg_catalog.=) u.${ctid}`;
  if (fate !== 'goes') return was;
  const later = `${eventOf(plan, by, 'b.n')} OPERATOR(pg_catalog.<) ROW(g.pn, g.age)`;
  return `${was} JOIN ${QUEUE} AS g ON g.o OPERATOR(pg_catalog.=) u.${WITHIN} AND g.c OPERATOR(pg_catalog.=) u.${OWN_PLACE} AND ${later}`;
}

/** The same for a row that was changed, and is still there when its new key is checked. */
function checked(image: Image, by: ForeignKey, plan: Plan, key: ForeignKey): string {
  if (image.fate === 'stays') return placed(image, by, plan);
  const gone = isLate(key) ? goneBefore('r') : goneBeforeCheck('r', eventOf(plan, by, 'b.n'));
  const conditions = [
    `r.tableoid OPERATOR(pg_catalog.=) u.${WITHIN} AND r.ctid OPERATOR(pg_catalog.=) u.${OWN_PLACE}`,
    ...[gone, ...outOfReach(plan, by, 'r', 'b.n')].map((each) => `NOT ${each}`),
  ];
  return `${placed(image, by, plan)} JOIN ${tableOf(by.from)} AS r ON ${conditions.join(' AND ')}`;
}
