/**
 * Rows on which two keys act, in a way that one statement cannot carry out as PostgreSQL would. A statement that meets such a row
 * fails itself.
 */
import type { Check, Overlap, Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker } from '../../violations.js';
import { deletedBefore, deletedBeforeCheck, eventOf, outOfReach, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { deletedRows, notDeletedBy, tableOf } from '../actions/rows.js';
import { imagesOf, isDeleted, mayBeDeleted } from './images.js';
import { placed } from './new-keys.js';
import { eventPlace, type ViolationQueries } from './violation-queries.js';

/** The queries that find the rows which a check of one of these kinds leaves undecided. */
export function undecidedQueries(
  check: Check & { kind: 'order' | 'overlap' | 'referenced' },
  index: number,
  plan: Plan,
): readonly ViolationQueries[] {
  if (check.kind === 'referenced')
    return check.other.enforced && !mayBeDeleted(plan, check.key) ? [] : [referencedRow(check, index, plan)];
  if (check.kind === 'order') {
    const on = check.key.referencing;
    return [{ suspects: `SELECT FROM ${bothFind(check.by, check.key, on, plan)}`, ordered: [], certain: [] }];
  }
  return check.when === 'new key' ? keyOfDeleted(check, index, plan) : [foundByBoth(check, index, plan)];
}

/**
 * A row that references deleted rows by both keys, and is not deleted yet when the SET key changes it. Where `when` is `before`, in `ordered`:
 *
 *     SELECT … FROM pgc_q AS q JOIN ONLY orders AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid
 *       JOIN ONLY items AS r ON p.shop = r.shop AND p.number = r.number
 *     WHERE NOT EXISTS (SELECT FROM pgc_q AS d WHERE … AND ROW(d.parent_position, d.key_order) < ROW(q.position, 1))
 *       AND EXISTS (SELECT FROM pgc_q AS q2 JOIN ONLY orders AS p2 ON p2.tableoid = q2.tableoid AND p2.ctid = q2.ctid
 *         WHERE p2.shop = r.shop AND p2.number = r.gift AND ROW(q.position, 1) < ROW(q2.position, 2))
 */
function foundByBoth({ key, other, on, when }: Overlap, index: number, plan: Plan): ViolationQueries {
  const marker = checkMarker(index, '0', []);
  const event = eventOf(plan, key, 'q.position');
  const before = `${event} OPERATOR(pg_catalog.<) ${eventOf(plan, other, 'q2.position')}`;
  const later = `EXISTS (SELECT FROM ${queued(other, 'q2', 'p2')} WHERE ${equals(other, 'p2', quoteName, 'r')} AND ${before})`;
  const both = bothFind(key, other, on, plan);
  const clear = notDeletedBy(plan, on, 'r');
  const stays = clear.length === 0 ? both : `${both} WHERE ${clear.join(' AND ')}`;
  if (when === 'both')
    return {
      suspects: `SELECT FROM ${stays}`,
      ordered: [
        `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)} JOIN ${tableOf(on)} AS r` +
          ` ON ${equals(key, 'p', quoteName, 'r')} WHERE NOT ${deletedBefore('r')}` +
          ` AND EXISTS (SELECT FROM ${queued(other, 'q2', 'p2')} WHERE ${equals(other, 'p2', quoteName, 'r')})`,
      ],
      certain: [`SELECT ${marker} FROM ${stays}`],
    };
  return {
    suspects: `SELECT FROM ${both}`,
    ordered: [
      `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)} JOIN ${tableOf(on)} AS r` +
        ` ON ${equals(key, 'p', quoteName, 'r')} WHERE NOT ${deletedBefore('r', event)} AND ${later}`,
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
 * By SET DEFAULT a row comes to reference, by another key, a row that this statement deletes too:
 *
 *     SELECT FROM pgc_u0_1 AS u JOIN pgc_0 AS y ON y.pgc_c0 = u.shop AND y.pgc_c1 = u.number
 */
function keyOfDeleted(
  { key, other, change, within }: Overlap,
  index: number,
  plan: Plan,
): readonly ViolationQueries[] {
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
 * A row `c` that references a column which the SET key changes in `r`: natively ON UPDATE acts on `c`, if `c` is not deleted yet. Where the
 * server enforces the key of `c`, the server itself acts; but not where `r` is deleted later, as the proxy never updates such a row.
 *
 *     SELECT FROM pgc_0 AS p JOIN ONLY posts AS r ON p.pgc_c0 = r.author JOIN ONLY likes AS c ON r.author = c.author
 */
function referencedRow(
  { key, other, on }: Check & { kind: 'referenced' },
  index: number,
  plan: Plan,
): ViolationQueries {
  const { rows, column } = deletedRows(plan, key.referenced);
  const marker = checkMarker(index, '0', []);
  const event = eventOf(plan, key, 'q.position');
  const pair = `JOIN ${tableOf(other.referencing)} AS c ON ${equals(other, 'r', quoteName, 'c')}`;
  const found = `${rows} AS p JOIN ${tableOf(on)} AS r ON ${equals(key, 'p', column, 'r')} ${pair}`;
  const clear = [...notDeletedBy(plan, on, 'r'), ...notDeletedBy(plan, other.referencing, 'c')];
  const acts = [
    `NOT ${deletedBefore('r', event)}`,
    ...(other.enforced ? [deletedBefore('r')] : []),
    ...outOfReach(plan, key, 'r', 'q.position').map((each) => `NOT ${each}`),
    `NOT ${deletedBeforeCheck('c', event)}`,
  ];
  return {
    suspects: `SELECT FROM ${found}${other.enforced ? ` WHERE ${isDeleted(plan, key, 'r')}` : ''}`,
    ordered: [
      `SELECT ${eventPlace(plan, key)}, ${marker} FROM ${queued(key)}` +
        ` JOIN ${tableOf(on)} AS r ON ${equals(key, 'p', quoteName, 'r')} ${pair} WHERE ${acts.join(' AND ')}`,
    ],
    certain: other.enforced
      ? []
      : [`SELECT ${marker} FROM ${found}${clear.length === 0 ? '' : ` WHERE ${clear.join(' AND ')}`}`],
  };
}
