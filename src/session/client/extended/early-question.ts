/** Asks for the graph before a pipeline begins a transaction: within the transaction it would be too late (docs/decisions.md, 56). */
import type { Look } from '../../../sql/lexer/look.js';
import { readBind, readParse } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Frontend } from '../../../wire/types.js';
import type { Decider } from '../../decide/decider.js';
import type { ClientNames } from '../../decide/names.js';
import type { PreparedStatement } from '../../decide/prepared-statement.js';
import type { InternalQueries } from '../../server/internal-query.js';
import type { TransactionState } from '../../server/transaction-state.js';
import type { UnitOfWork } from '../unit-of-work.js';

interface EarlyQuestionOptions {
  readonly decider: Decider;
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly queries: InternalQueries;
  readonly transaction: TransactionState;
  readonly unit: UnitOfWork;
}

export class EarlyQuestion {
  readonly #options: EarlyQuestionOptions;

  constructor(options: EarlyQuestionOptions) {
    this.#options = options;
  }

  /**
   * Asks before the first message of a pipeline, where that is a BEGIN and the session's last transaction asked too late.
   * @returns undefined where there is nothing to ask; else the message may be taken when it is fulfilled
   */
  before(message: Message): Promise<void> | undefined {
    const { decider, transaction, unit } = this.#options;
    if (!decider.isLate || !unit.isBetweenUnits || !transaction.isIdle) return undefined;
    const look = this.#look(message);
    return look && decider.isLateBefore(look) ? this.#ask() : undefined;
  }

  /**
   * Ends the transaction of the question, as BEGIN could choose no isolation level in it. Where the question fails, its error is the
   * answer to the client's message, and the server skips everything up to the client's Sync.
   */
  async #ask(): Promise<void> {
    const { decider, queries } = this.#options;
    await decider.renew('extended');
    if (queries.hasImplicitTransaction) await queries.endImplicitTransaction();
  }

  /** What is known of the text that the message prepares, or whose statement it binds. */
  #look(message: Message): Look | undefined {
    const { decider, statementNames } = this.#options;
    if (message.type === Frontend.Bind) return statementNames.get(readBind(message)?.statement ?? '')?.look;
    const text = message.type === Frontend.Parse ? readParse(message)?.text : undefined;
    return text && decider.look(text);
  }
}
