/** The last question, when all is deleted: whether others have committed rows since that reference what is gone. */
import type { Plan } from '../../plan/plan.js';
import { quoteRelation } from '../../sql/names.js';
import { references } from '../single/actions/match.js';
import { deletedRows, isAmong, tableOf } from '../single/actions/rows.js';
import { FAIL_ROW_KEPT } from '../violations.js';
import { isHeld } from './identified.js';
import { type Step, stepOf } from './step.js';

/**
 * Answers `t` where a row references, by a key that the server does not enforce, one that was deleted. It fails where a trigger
 * has kept a row: what depended on that is gone.
 *
 *     WITH pgc_0 (pgc_c0) AS (…)
 *     SELECT EXISTS (SELECT FROM ONLY posts AS r WHERE r.author = ANY (ARRAY(SELECT d.pgc_c0 FROM pgc_0 AS d)))
 *     WHERE CASE WHEN EXISTS (SELECT FROM ONLY users AS r WHERE EXISTS (SELECT FROM pgc_0 AS g WHERE g.pgc_c0 = r.id))
 *       THEN concat('pgcascade/…/rowKept')::int4 = 0 ELSE true END
 */
export function sweep(plan: Plan): Step | undefined {
  const left = plan.keys
    // What a trigger keeps there stays natively, too.
    .filter(({ enforcedByServer, referencing }) => !enforcedByServer && !referencing.mayKeepRows)
    .map((key) => {
      const found = references(key, 'r', deletedRows(plan, key.referenced));
      return `EXISTS (SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${found})`;
    });
  const kept = plan.deletions
    .filter((deletion) => isHeld(deletion) && deletion.relation.mayKeepRows)
    .map((deletion) => {
      const { relation, inherits } = deletion;
      const table = inherits ? quoteRelation(relation) : tableOf(relation);
      const stays = `EXISTS (SELECT FROM ${table} AS r WHERE ${isAmong(relation, deletion, 'r')})`;
      return `CASE WHEN ${stays} THEN ${FAIL_ROW_KEPT} OPERATOR(pg_catalog.=) 0 ELSE true END`;
    });
  if (left.length + kept.length === 0) return undefined;
  const conditions = kept.length === 0 ? '' : `\nWHERE ${kept.join('\n AND ')}`;
  return stepOf(plan, `SELECT ${left.join('\n OR ') || 'false'}${conditions}`);
}
