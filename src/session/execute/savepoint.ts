/** The savepoint that the proxy sets in a transaction of the client's, so that another attempt may follow one that fails. */
import { SAVEPOINT } from '../../rewrite/retries.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { Snapshot } from './retry-policy.js';

export const SET_SAVEPOINT = `SAVEPOINT ${SAVEPOINT}`;
export const RELEASE_SAVEPOINT = `RELEASE SAVEPOINT ${SAVEPOINT}`;
const ROLL_BACK = `ROLLBACK TO SAVEPOINT ${SAVEPOINT}`;
const ISOLATION = `SELECT pg_catalog.current_setting('transaction_isolation')`;
const FAIL = `SELECT pg_catalog.concat('pgcascade: the statement before has failed')::pg_catalog.int4`;

export class Savepoint {
  readonly #queries: Pick<InternalQueries, 'ask' | 'fail'>;
  readonly #protocol: Protocol;

  /** @param protocol that of the client's message: a simple query would drop the client's unnamed statement */
  constructor(queries: Pick<InternalQueries, 'ask' | 'fail'>, protocol: Protocol) {
    this.#queries = queries;
    this.#protocol = protocol;
  }

  /** Sets it again, in a pipeline. @returns whether it is set; else the client has got an error */
  async setAgain(): Promise<boolean> {
    return (await this.#queries.ask(SET_SAVEPOINT, this.#protocol)).kind === 'value';
  }

  /**
   * Rolls back to it, and releases it.
   * @returns what the transaction sees from now on; `failed` where the client has got an error
   */
  async rollBack(): Promise<Snapshot | 'failed'> {
    const steps = [ROLL_BACK, RELEASE_SAVEPOINT, ISOLATION];
    let isolation = '';
    for (const step of this.#protocol === 'simple' ? [steps.join('; ')] : steps) {
      const answer = await this.#queries.ask(step, this.#protocol);
      if (answer.kind !== 'value') return 'failed';
      isolation = answer.value;
    }
    // read committed, and read uncommitted, which is the same.
    return isolation.startsWith('read ') ? 'newer' : 'same';
  }

  /**
   * Makes the transaction fail once more, outside of the savepoint. After an error under it the server would keep the locks
   * that the transaction had before; natively an error releases them.
   */
  failOutside(): Promise<void> {
    return this.#queries.fail([ROLL_BACK, RELEASE_SAVEPOINT, FAIL], this.#protocol);
  }
}
