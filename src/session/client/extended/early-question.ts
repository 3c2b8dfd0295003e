/** The question that comes before a transaction in a pipeline, as it would come too late in it (docs/decisions.md, 56). */
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
   * The transaction of the question is ended: in it BEGIN could no longer choose an isolation level. Where there was an error
   * the client has it as the answer to its message, and the server skips what comes up to the client's Sync.
   */
  async #ask(): Promise<void> {
    const { decider, queries } = this.#options;
    await decider.renew('extended');
    if (queries.hasImplicitTransaction) await queries.endImplicitTransaction();
  }

  /** What the message is going to execute, if anything: of a Bind what was prepared under its name. */
  #look(message: Message): Look | undefined {
    const { decider, statementNames } = this.#options;
    if (message.type === Frontend.Bind) return statementNames.get(readBind(message)?.statement ?? '')?.look;
    const text = message.type === Frontend.Parse ? readParse(message)?.text : undefined;
    return text && decider.look(text);
  }
}
