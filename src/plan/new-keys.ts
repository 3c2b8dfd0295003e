/**
 * Checks of the keys that SET keys make: RI_FKey_check, and what RI_FKey_setdefault looks at once more. The check of a new
 * key is deferred where the key is, whatever its action (createForeignKeyCheckTriggers).
 */
import type { ForeignKey } from '../graph/model.js';
import { quoteName } from '../sql/names.js';
import { type Broken, checkPlace, eventPlace, referencedMarker } from './broken.js';
import { WITHIN } from './changes.js';
import { eventOf, goneBefore, goneBeforeCheck, outOfReach, queued } from './events.js';
import { goes, type Image, imageBefore, imagesOf, mayGo, OWN_PLACE } from './images.js';
import { equals } from './match.js';
import type { Check, NewKeyCheck, Plan } from './plan.js';
import { age, QUEUE } from './queue.js';
import { deletedRows, tableOf } from './rows.js';
import { checkMarker } from './violations.js';

export function newKeysBroken(check: NewKeyCheck, place: number, plan: Plan): readonly Broken[] {
  const { kind, by, change, key, within } = check;
  const found = imagesOf(plan, change, by, key, within).map((image) =>
    BROKEN[kind](check, place, plan, image),
  );
  const before = kind === 'same key' ? undefined : imageBefore(plan, change, by, key, within);
  if (before === undefined) return found;
  // The order of the rows is known only of those from before.
  const { ordered } = BROKEN[kind](check, place, plan, before);
  const suspects = found.map((each) => each.suspects).join(' UNION ALL ');
  return [{ suspects, ordered, certain: found.flatMap(({ certain }) => certain) }];
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
      `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)}` +
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
function newKey({ key, by, change }: NewKeyCheck, place: number, plan: Plan, image: Image): Broken {
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const marker = checkMarker(place, `u.${WITHIN}`, columns);
  const { turn, changes } = turnOf(image, by, plan, key, change);
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
    ` LEFT JOIN ${QUEUE} AS e ON e.n OPERATOR(pg_catalog.=) d.pn WHERE ${same}${key.deferred ? '' : ` AND (${queuedBefore})`})`;
  return {
    suspects: `SELECT FROM ${broken}`,
    certain: image.fate === 'stays' ? [`SELECT ${marker} FROM ${broken}`] : [],
    ordered: [
      `SELECT ${turn}, ${marker} FROM ${image.rows} AS u` +
        ` JOIN ${checked(image, by, plan, key)}${changes} WHERE ${complete} AND (${missing}${key === by ? ` OR ${before}` : ''})`,
    ],
  };
}

/** A key of MATCH FULL has some columns that are null, and some that are not. */
function mixedKey({ key, by, change }: NewKeyCheck, place: number, plan: Plan, image: Image): Broken {
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const some = (what: string) => `(${columns.map((each) => `${each} ${what}`).join(' OR ')})`;
  const mixed = `${some('IS NULL')} AND ${some('IS NOT NULL')}`;
  const marker = checkMarker(place, `u.${WITHIN}`, []);
  const stays = image.fate === 'stays';
  const { turn, changes } = turnOf(image, by, plan, key, change);
  return {
    suspects: `SELECT FROM ${image.rows} AS u WHERE ${mixed}`,
    certain: stays ? [`SELECT ${marker} FROM ${image.rows} AS u WHERE ${mixed}`] : [],
    ordered: [
      `SELECT ${turn}, ${marker} FROM ${image.rows} AS u` +
        ` JOIN ${checked(image, by, plan, key)}${changes} WHERE ${mixed}`,
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
        `SELECT ${eventPlace(plan, key, false, 'q', 'r')}, ${checkMarker(place, 'r.tableoid', values)} FROM ${queued(key)}` +
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
  const gone = key.deferred ? goneBefore('r') : goneBeforeCheck('r', eventOf(plan, by, 'b.n'));
  const conditions = [
    `r.tableoid OPERATOR(pg_catalog.=) u.${WITHIN} AND r.ctid OPERATOR(pg_catalog.=) u.${OWN_PLACE}`,
    ...[gone, ...outOfReach(plan, by, 'r', 'b.n')].map((each) => `NOT ${each}`),
  ];
  return `${placed(image, by, plan)} JOIN ${tableOf(by.from)} AS r ON ${conditions.join(' AND ')}`;
}

/**
 * The place of the check of a new key, and what joins it. A row that was changed again is checked behind that change, if it
 * was queued before the first check had its turn: RI_FKey_check looks at no version that is not the newest.
 */
function turnOf(
  { fate }: Image,
  by: ForeignKey,
  plan: Plan,
  key: ForeignKey,
  change: number,
): { readonly turn: string; readonly changes: string } {
  const others = plan.changes[change]?.keys.filter((other) => other !== by) ?? [];
  const first = ['b.n', age(plan, by)] as const;
  const row = fate === 'stays' ? undefined : 'r';
  if (row === undefined || others.length === 0)
    return { turn: checkPlace(plan, key, first, row), changes: '' };
  const own = eventOf(plan, by, 'b.n');
  const later = others.map((other) => {
    const conditions = [
      equals(other, 'p3', quoteName, row),
      `${eventOf(plan, other, 'a.n')} OPERATOR(pg_catalog.>) ${own}`,
      ...(key.deferred ? [] : [`ROW(a.pn, a.age) OPERATOR(pg_catalog.<) ${own}`]),
      ...outOfReach(plan, other, row, 'a.n').map((each) => `NOT ${each}`),
    ];
    return `SELECT a.n, ${age(plan, other)} FROM ${queued(other, 'a', 'p3')} WHERE ${conditions.join(' AND ')}`;
  });
  const all = [`SELECT ${first.join(', ')}`, ...later].join(' UNION ALL ');
  const last = `SELECT v.n, v.age FROM (${all}) AS v (n, age) ORDER BY v.n DESC, v.age DESC LIMIT 1`;
  return {
    turn: checkPlace(plan, key, ['w.n', 'w.age'], row),
    changes: ` CROSS JOIN LATERAL (${last}) AS w`,
  };
}
