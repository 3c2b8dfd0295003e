/** Decides what takes the place of a prepared statement, after something has changed since it was prepared. */
import { ProxyError } from '../../errors.js';
import { followUpsOf } from '../../rewrite/statement/treatment.js';
import { type Rewrite, refusal } from '../../rewrite/text.js';
import { columnsIn } from '../answers/result-columns.js';
import type { InternalQueries } from '../server/internal-query.js';
import { type ClientNames, shownName } from './names.js';
import type { PreparedStatement } from './prepared-statement.js';

interface ReplacementParts {
  readonly queries: InternalQueries;
  readonly prepared: ClientNames<PreparedStatement>;
}

/**
 * @param rewrite what would be sent for its text now
 * @returns what is to be prepared in its place: a refusal where it would return other columns than it did when the client
 * prepared it. Undefined where the server has what it should have, or refuses it itself
 */
export async function replacement(
  name: string,
  prepared: PreparedStatement,
  rewrite: Rewrite,
  parts: ReplacementParts,
): Promise<Rewrite | undefined> {
  const { inSql, lost, result, rewrite: before } = prepared;
  // PREPARE in SQL records its statement as it was before its letters were put into the client's encoding.
  const sql = inSql ? (rewrite.unspelled ?? rewrite.sql) : rewrite.sql;
  const isSame = sql === before?.sql && followUpsIn(rewrite) === followUpsIn(before) && !lost;
  // The same SQL returns the same columns, unless the type of one that the proxy has added has changed.
  if (isSame && (inSql || rewrite.graphId === before.graphId || !result.returnsMore)) return undefined;
  // Only its PREPARE would prepare it again, and that is a statement that is executed.
  if (inSql) return refusal(new ProxyError('PGC_EXECUTE', { name: shownName(name) }));
  if (!result.returnsRows || isRefusal(rewrite)) return rewrite;
  const described = await describe(prepared, rewrite, parts);
  const changed = result.compare(described);
  if (changed === 'ours' || (changed === 'same' && !isSame)) {
    result.update(described);
    return rewrite;
  }
  if (!isSame || described === undefined) return refusal(new ProxyError('PGC_RESULT'));
  if (changed === 'same')
    parts.prepared.set(name, { ...prepared, rewrite: { ...before, graphId: rewrite.graphId } });
  return undefined;
}

/** The columns that a text would return now; undefined where there is no answer, after which the server skips what is sent next. */
async function describe(
  { types }: PreparedStatement,
  rewrite: Rewrite,
  { queries }: ReplacementParts,
): Promise<ReturnType<typeof columnsIn>> {
  let described: ReturnType<typeof columnsIn>;
  const answer = await queries.describe(rewrite.sql, types, 'extended', 0, (message) => {
    described = columnsIn(message, rewrite) ?? described;
  });
  return answer.kind === 'value' ? described : undefined;
}

/** What is executed after the statement: that may be another text where its own is the same. */
function followUpsIn({ treatments: [treatment] }: Rewrite): string {
  return followUpsOf(treatment).join(';');
}

export function isRefusal({ treatments }: Rewrite): boolean {
  return treatments.some(({ kind }) => kind === 'refused');
}
