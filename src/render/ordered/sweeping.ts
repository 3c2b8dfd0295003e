/** The last question, when all is deleted: whether others have committed rows since that reference what is gone. */
import type { Plan } from '../../plan/plan.js';
import { references } from '../single/actions/match.js';
import { deletedRows, tableOf } from '../single/actions/rows.js';
import { type Step, stepOf } from './step.js';

/**
 * Answers `t` where a row references, by a key that the server does not enforce, one that was deleted.
 *
 *     WITH pgc_0 (pgc_c0) AS (…)
 *     SELECT EXISTS (SELECT FROM ONLY posts AS r WHERE r.author = ANY (ARRAY(SELECT d.pgc_c0 FROM pgc_0 AS d)))
 */
export function sweep(plan: Plan): Step | undefined {
  const left = plan.keys
    .filter(({ enforcedByServer }) => !enforcedByServer)
    .map((key) => {
      const found = references(key, 'r', deletedRows(plan, key.referenced));
      return `EXISTS (SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${found})`;
    });
  return left.length === 0 ? undefined : stepOf(plan, `SELECT ${left.join('\n OR ')}`);
}
