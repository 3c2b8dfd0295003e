/** Whether the locks before a statement may be sent: the SELECT that locks the rows evaluates the client's conditions. */
import type { Locks } from '../../render/single/locks.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';

/**
 * Asks the server.
 * @param locks undefined where there is nothing to lock
 * @returns the locks where executing them does nothing else; `failed` where the client has got an error
 */
export async function harmlessLocks(
  locks: Locks | undefined,
  queries: Pick<InternalQueries, 'askUntimed'>,
  protocol: Protocol,
): Promise<Locks | 'failed' | undefined> {
  if (locks === undefined) return undefined;
  const answer = await queries.askUntimed(locks.harmless, protocol);
  if (answer.kind !== 'value') return 'failed';
  return answer.value === 't' ? locks : undefined;
}
