/** Locks on the rows that SET DEFAULT makes other rows reference: natively RI_FKey_check takes them, as for any new key. */
import type { ForeignKey } from '../../graph/model.js';
import { oncePerPlan } from '../../plan/plan.js';
import { quoteName } from '../../sql/names.js';
import { equals } from './actions/match.js';
import { tableOf } from './actions/rows.js';

/**
 * One statement for each SET DEFAULT key whose defaults are constants. Where only some columns of the key are set, it locks all rows with these
 * values:
 *
 *     SELECT count(*) FROM (
 *       SELECT FROM ONLY users AS t CROSS JOIN (SELECT (0)::int4 AS author) AS r WHERE t.id = r.author FOR KEY SHARE OF t
 *     ) AS l
 */
export const renderDefaultLocks = oncePerPlan(({ keys }): readonly string[] =>
  keys.filter(({ action, enforced }) => action === 'set default' && !enforced).flatMap(lockDefault),
);

function lockDefault(key: ForeignKey): readonly string[] {
  const set = key.columns.filter(({ referencing }) => key.setColumns.includes(referencing));
  const constants = set.map(({ referencing }) => {
    return key.referencing.columns.find(({ name }) => name === referencing)?.constant ?? undefined;
  });
  // A key with a null references nothing, and a default that is no constant is known to the server alone.
  if (set.length === 0 || constants.some((each) => each === undefined || each === 'NULL')) return [];
  const row = set.map(({ referencing }, i) => `${constants[i]} AS ${quoteName(referencing)}`);
  const found = equals({ ...key, columns: set }, 't', quoteName, 'r');
  return [
    `SELECT pg_catalog.count(*) FROM (SELECT FROM ${tableOf(key.referenced)} AS t CROSS JOIN (SELECT ${row.join(', ')}) AS r` +
      ` WHERE ${found} FOR KEY SHARE OF t) AS l`,
  ];
}
