/**
 * Has a session go by the newest policy, once no transaction is open, so that a transaction sees one policy, and every message is
 * answered, as one may have begun a transaction. What was prepared under another policy is decided again when it is used
 * (prepared-statements.ts); there are no portals without a transaction.
 */
import { ProxyError } from '../errors.js';
import type { SessionCatalog } from './catalog/session-catalog.js';
import type { CopyIn } from './client/copy-in.js';
import type { UnitEnd } from './client/unit-end.js';
import type { UnitOfWork } from './client/unit-of-work.js';
import type { Decider } from './decide/decider.js';
import type { SessionPolicy } from './policy/policy.js';
import type { OutstandingReplies } from './server/outstanding-replies.js';
import type { TransactionState } from './server/transaction-state.js';

interface PolicyChangeOptions {
  readonly policy: SessionPolicy;
  readonly catalog: SessionCatalog;
  readonly decider: Decider;
  readonly replies: OutstandingReplies;
  readonly transaction: TransactionState;
  readonly copyIn: CopyIn;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
}

export class PolicyChange {
  readonly #options: PolicyChangeOptions;

  constructor(options: PolicyChangeOptions) {
    this.#options = options;
  }

  /**
   * A message of the client's is about to be taken that is no data of a COPY.
   * @returns a promise where the server has to answer first: then the message may be taken
   * @throws ProxyError PGC_RELOADED, or rejects with it
   */
  before(): Promise<void> | undefined {
    const { copyIn, policy, replies, unit } = this.#options;
    if (!policy.isOutdated || !unit.isBetweenUnits) return undefined;
    // The messages of earlier units are answered without the client sending more, unless the server takes data.
    if (!replies.settled) return copyIn.decided().then(() => this.#change());
    this.#change();
    return undefined;
  }

  #change(): void {
    const { catalog, decider, policy, transaction, unitEnd } = this.#options;
    if (!transaction.isIdle) return;
    if (decider.hasUnread) throw new ProxyError('PGC_RELOADED');
    unitEnd.serverIdle();
    policy.renew();
    catalog.forget();
  }
}
