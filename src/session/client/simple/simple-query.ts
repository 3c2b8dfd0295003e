/**
 * Query: executes the statements of a text (protocol-flow.html#PROTOCOL-FLOW-SIMPLE-QUERY). Here it is decided what is sent in its
 * place; query-sender.ts sends it.
 */
import { type Look, mayTakeData } from '../../../sql/lexer/look.js';
import { queryText } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import type { SessionCatalog } from '../../catalog/session-catalog.js';
import type { Decider } from '../../decide/decider.js';
import { PASS } from '../../decide/decision.js';
import type { ClientNames } from '../../decide/names.js';
import type { PreparedStatement } from '../../decide/prepared-statement.js';
import type { InternalQueries } from '../../server/internal-query.js';
import type { Jit } from '../../server/jit.js';
import type { TransactionState } from '../../server/transaction-state.js';
import type { CopyIn } from '../copy-in.js';
import { MessageHandler } from '../message-handler.js';
import type { UnitOfWork } from '../unit-of-work.js';
import type { QuerySender, Situation } from './query-sender.js';

interface SimpleQueryParts {
  readonly catalog: SessionCatalog;
  readonly copyIn: CopyIn;
  readonly decider: Decider;
  readonly jit: Jit;
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly queries: InternalQueries;
  readonly sender: QuerySender;
  readonly transaction: TransactionState;
  readonly unit: UnitOfWork;
}

export class SimpleQuery extends MessageHandler<SimpleQueryParts> {
  /** After a text that may take data nothing is sent until the server has said whether it does. */
  take(message: Message): Promise<void> | undefined {
    const { copyIn, decider, jit, sender } = this.parts;
    jit.on();
    const text = queryText(message);
    // The server refuses what is not well-formed.
    if (text === undefined) return sender.forward(message, MALFORMED);
    const look = decider.look(text);
    const sent = this.#decideAndSend(message, look);
    if (!mayTakeData(look)) return sent;
    return sent ? sent.then(() => copyIn.decided()) : copyIn.decided();
  }

  #decideAndSend(message: Message, look: Look): Promise<void> | undefined {
    const { catalog, decider, queries, sender, transaction, unit } = this.parts;
    if (queries.hasImplicitTransaction && !unit.hasExecuted)
      return queries.endImplicitTransaction().then(() => this.#decideAndSend(message, look));
    const situation = this.#situation();
    const { protocol, inBlock } = situation;
    if (protocol === 'extended') queries.queryInPipeline();
    const retries = protocol === 'simple' && transaction.isIdle;
    // The earlier messages of the same unit of work are executed first, and may change what names mean.
    if (!unit.isBetweenUnits) catalog.unitEnds(inBlock);
    if (!decider.mayReplace(look)) {
      if (retries && decider.isLateBefore(look)) return this.#renewAndSend(message, look, situation);
      return sender.send(message, look, PASS, situation);
    }
    const sendOrDecide = (passesUnread: boolean) =>
      passesUnread
        ? sender.send(message, look, PASS, situation)
        : this.#decide(message, look, situation, retries);
    const passesUnread = decider.passesUnread(look);
    return typeof passesUnread === 'boolean' ? sendOrDecide(passesUnread) : passesUnread.then(sendOrDecide);
  }

  #decide(message: Message, look: Look, situation: Situation, retries: boolean): Promise<void> {
    const { decider, sender } = this.parts;
    const { protocol } = situation;
    return decider
      .decide(look, { protocol, inString: true, types: [], retries, prepares: protocol === 'simple' })
      .then((decision) => sender.send(message, look, decision, situation));
  }

  /** Sends a text that begins a transaction, after the graph was asked for: within the transaction it would be too late. */
  async #renewAndSend(message: Message, look: Look, situation: Situation): Promise<void> {
    const { decider, sender } = this.parts;
    if (await decider.renew('simple')) sender.send(message, look, PASS, situation);
    else sender.answered(situation);
  }

  /** A Query drops the unnamed statement (postgres.c, exec_simple_query). */
  #situation(): Situation {
    const { statementNames, unit } = this.parts;
    const protocol = unit.hasExecuted ? 'extended' : 'simple';
    const inBlock = protocol === 'simple' && unit.isInBlock === true;
    const dropped = statementNames.get('');
    if (dropped) statementNames.set('', undefined);
    return { protocol, inBlock, dropped };
  }
}

/** That of a Query that the server refuses before it looks at its text. */
const MALFORMED: Situation = { protocol: 'simple', inBlock: false, dropped: undefined };
