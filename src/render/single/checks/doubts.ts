/**
 * Rows of which one statement cannot tell what becomes of them, as two keys act on them. A statement that meets such a row
 * stops itself.
 */

import type { Check, Overlap, Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker } from '../../violations.js';
import { eventOf, goneBefore, goneBeforeCheck, outOfReach, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { deletedRows, staysClearOf, tableOf } from '../actions/rows.js';
import { type Broken, eventPlace } from './broken.js';
import { goes, imagesOf, mayGo } from './images.js';
import { placed } from './new-keys.js';

/** The SQL that finds the rows of which a check of one of these kinds cannot tell what becomes of them. */
export function doubted(
  check: Check & { kind: 'order' | 'overlap' | 'referenced' },
  index: number,
  plan: Plan,
): readonly Broken[] {
  if (check.kind === 'referenced')
    return check.other.enforced && !mayGo(plan, check.key) ? [] : [referencedRow(check, index, plan)];
  if (check.kind === 'order') {
    const on = check.key.referencing;
    return [{ suspects: `SELECT FROM ${bothFind(check.by, check.key, on, plan)}`, ordered: [], certain: [] }];
  }
  return check.when === 'new key' ? keyOfDeleted(check, index, plan) : [foundByBoth(check, index, plan)];
}

/**
 * A row references deleted rows by both keys, and is still there when the SET key changes it. For `before`, in `ordered`:
 *
 *     SELECT … FROM pgc_q AS q JOIN ONLY orders AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid
 *       JOIN ONLY items AS r ON p.shop = r.shop AND p.number = r.number
 *     WHERE NOT EXISTS (SELECT FROM pgc_q AS d WHERE … AND ROW(d.parent_position, d.key_order) < ROW(q.position, 1))
 *       AND EXISTS (SELECT FROM pgc_q AS q2 JOIN ONLY orders AS p2 ON p2.tableoid = q2.tableoid AND p2.ctid = q2.ctid
 *         WHERE p2.shop = r.shop AND p2.number = r.gift AND ROW(q.position, 1) < ROW(q2.position, 2))
 */
function foundByBoth({ key, other, on, when }: Overlap, index: number, plan: Plan): Broken {
  const marker = checkMarker(index, '0', []);
  const event = eventOf(plan, key, 'q.position');
  const before = `${event} OPERATOR(pg_catalog.<) ${eventOf(plan, other, 'q2.position')}`;
  const later = `EXISTS (SELECT FROM ${queued(other, 'q2', 'p2')} WHERE ${equals(other, 'p2', quoteName, 'r')} AND ${before})`;
  const both = bothFind(key, other, on, plan);
  const clear = staysClearOf(plan, on, 'r');
  const stays = clear.length === 0 ? both : `${both} WHERE ${clear.join(' AND ')}`;
  if (when === 'both')
    return {
      suspects: `SELECT FROM ${stays}`,
      ordered: [
        `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)} JOIN ${tableOf(on)} AS r` +
          ` ON ${equals(key, 'p', quoteName, 'r')} WHERE NOT ${goneBefore('r')}` +
          ` AND EXISTS (SELECT FROM ${queued(other, 'q2', 'p2')} WHERE ${equals(other, 'p2', quoteName, 'r')})`,
      ],
      certain: [`SELECT ${marker} FROM ${stays}`],
    };
  return {
    suspects: `SELECT FROM ${both}`,
    ordered: [
      `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)} JOIN ${tableOf(on)} AS r` +
        ` ON ${equals(key, 'p', quoteName, 'r')} WHERE NOT ${goneBefore('r', event)} AND ${later}`,
    ],
    certain: [],
  };
}

/**
 * Rows `r` that reference deleted rows by both keys:
 *
 *     pgc_0 AS p JOIN ONLY items AS r ON p.pgc_c0 = r.shop AND p.pgc_c1 = r.number
 *       JOIN pgc_0 AS y ON y.pgc_c0 = r.shop AND y.pgc_c1 = r.gift
 */
function bothFind(key: Overlap['key'], other: Overlap['key'], on: Overlap['on'], plan: Plan): string {
  const [own, others] = [deletedRows(plan, key.referenced), deletedRows(plan, other.referenced)];
  return (
    `${own.rows} AS p JOIN ${tableOf(on)} AS r ON ${equals(key, 'p', own.column, 'r')}` +
    ` JOIN ${others.rows} AS y ON ${equals(other, 'y', others.column, 'r')}`
  );
}

/**
 * SET DEFAULT makes a row reference, by another key, a row that is deleted too:
 *
 *     SELECT FROM pgc_u0_1 AS u JOIN pgc_0 AS y ON y.pgc_c0 = u.shop AND y.pgc_c1 = u.number
 */
function keyOfDeleted({ key, other, change, within }: Overlap, index: number, plan: Plan): readonly Broken[] {
  const { rows, column } = deletedRows(plan, other.referenced);
  const marker = checkMarker(index, '0', []);
  return imagesOf(plan, change, key, other, within).map((image) => {
    const found = `${image.rows} AS u JOIN ${rows} AS y ON ${equals(other, 'y', column, 'u')}`;
    return {
      suspects: `SELECT FROM ${found}`,
      ordered: [
        `SELECT ${eventPlace(plan, key, false, 'b')}, ${marker} FROM ${found} JOIN ${placed(image, key, plan)}`,
      ],
      certain: image.fate === 'stays' ? [`SELECT ${marker} FROM ${found}`] : [],
    };
  });
}

/**
 * A row `c` that references the column which the SET key changes: natively ON UPDATE acts on `c`, if it is still there. Where
 * the server enforces that key, the server does so itself; but it is not asked to change rows that are deleted later.
 *
 *     SELECT FROM pgc_0 AS p JOIN ONLY posts AS r ON p.pgc_c0 = r.author JOIN ONLY likes AS c ON r.author = c.author
 */
function referencedRow(
  { key, other, on }: Check & { kind: 'referenced' },
  index: number,
  plan: Plan,
): Broken {
  const { rows, column } = deletedRows(plan, key.referenced);
  const marker = checkMarker(index, '0', []);
  const event = eventOf(plan, key, 'q.position');
  const pair = `JOIN ${tableOf(other.referencing)} AS c ON ${equals(other, 'r', quoteName, 'c')}`;
  const found = `${rows} AS p JOIN ${tableOf(on)} AS r ON ${equals(key, 'p', column, 'r')} ${pair}`;
  const clear = [...staysClearOf(plan, on, 'r'), ...staysClearOf(plan, other.referencing, 'c')];
  const acts = [
    `NOT ${goneBefore('r', event)}`,
    ...(other.enforced ? [goneBefore('r')] : []),
    ...outOfReach(plan, key, 'r', 'q.position').map((each) => `NOT ${each}`),
    `NOT ${goneBeforeCheck('c', event)}`,
  ];
  return {
    suspects: `SELECT FROM ${found}${other.enforced ? ` WHERE ${goes(plan, key, 'r')}` : ''}`,
    ordered: [
      `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)}` +
        ` JOIN ${tableOf(on)} AS r ON ${equals(key, 'p', quoteName, 'r')} ${pair} WHERE ${acts.join(' AND ')}`,
    ],
    certain: other.enforced
      ? []
      : [`SELECT ${marker} FROM ${found}${clear.length === 0 ? '' : ` WHERE ${clear.join(' AND ')}`}`],
  };
}
