/** Sends what was decided for a client's Query: the Query as it is, another text in its place, or its statements one by one. */

import {
  batchesAtLimit,
  firstLocksOf,
  isSuspecting,
  planOf,
  tableLocksOf,
} from '../../../rewrite/retries.js';
import { cannotCarryOut } from '../../../rewrite/statement/program.js';
import { type Rewrite, refusal } from '../../../rewrite/text.js';
import { type Look, withTextCopied } from '../../../sql/lexer/look.js';
import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { sealed, sentText } from '../../answers/markers.js';
import { queryReplies } from '../../answers/results.js';
import type { SessionCatalog } from '../../catalog/session-catalog.js';
import type { Decider } from '../../decide/decider.js';
import type { Decision, SeparateStatement } from '../../decide/decision.js';
import type { ClientNames } from '../../decide/names.js';
import type { PreparedStatement } from '../../decide/prepared-statement.js';
import type { Executor } from '../../execute/executor.js';
import type { Protocol } from '../../server/internal-query.js';
import type { ReplyHandler } from '../../server/outstanding-replies.js';
import type { ServerSide } from '../forwarding.js';
import type { UnansweredNames } from '../unanswered-names.js';
import type { UnitEnd } from '../unit-end.js';
import type { StatementByStatement } from './statement-by-statement.js';

interface QuerySenderOptions extends ServerSide {
  readonly catalog: SessionCatalog;
  readonly decider: Decider;
  readonly executor: Executor;
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly statementByStatement: StatementByStatement;
  readonly unanswered: UnansweredNames;
  readonly unitEnd: UnitEnd;
}

/** What the session was doing when a Query came. */
export interface Situation {
  /** `extended`: there was an Execute before the Query, so that it belongs to the implicit transaction of that. */
  readonly protocol: Protocol;
  /** Whether it is certain that a transaction block is open, which then goes on. */
  readonly inBlock: boolean;
  /** The unnamed statement, which the Query drops. Where the server skips the Query, the statement is still there. */
  readonly dropped: PreparedStatement | undefined;
}

export class QuerySender {
  readonly #options: QuerySenderOptions;

  constructor(options: QuerySenderOptions) {
    this.#options = options;
  }

  /**
   * @param look the query's text
   * @returns as MessageHandler.take
   */
  send(message: Message, look: Look, decision: Decision, situation: Situation): Promise<void> | undefined {
    if (decision.kind === 'statementByStatement') return this.#sendOneByOne(decision.statements);
    this.#options.catalog.invalidateBy(look);
    // The proxy's question failed in a Query of its own: the client has got that error, and its ReadyForQuery.
    if (decision.kind === 'failed' && situation.protocol === 'simple') return this.answered(situation);
    if (decision.kind === 'pass') return this.forward(message, situation);
    return this.#sendRewrite(message, look, decision.rewrite, situation);
  }

  forward(message: Message, situation: Situation): undefined {
    this.#options.server.forward(message);
    const skipped = this.#restoring(situation);
    this.#expect(skipped && { receive: () => 'forward', skipped }, situation);
  }

  /** Is called where the client has got the answer to its Query already. */
  answered({ inBlock }: Situation): undefined {
    this.#options.unitEnd.end(inBlock);
  }

  async #sendOneByOne(statements: Iterable<SeparateStatement>): Promise<void> {
    await this.#options.statementByStatement.send(statements);
    this.#options.unitEnd.end(false);
  }

  /** Sends what takes the Query's place: through the executor, where it may have to be sent again. */
  #sendRewrite(
    message: Message,
    look: Look,
    rewrite: Rewrite,
    situation: Situation,
  ): Promise<void> | undefined {
    const { executor, unitEnd } = this.#options;
    const { protocol, inBlock, dropped } = situation;
    const { treatments } = rewrite;
    const [cascade] = treatments;
    if (protocol === 'extended' && cascade?.kind === 'cascade' && cascade.program.kind !== 'single') {
      const refused = cannotCarryOut(cascade.program, cascade.target, 'a query in a pipeline');
      return this.#sendOnce(message, refusal(refused), situation);
    }
    const isHeld = planOf(treatments) || isSuspecting(treatments) || rewrite.leftPrepared;
    if (protocol === 'simple' && (isHeld || batchesAtLimit(treatments))) {
      const done = executor.query({ look: withTextCopied(look), rewrite, dropped });
      unitEnd.end(inBlock);
      return done.then((statements) => statements && this.#sendOneByOne(statements));
    }
    const locksRows = protocol === 'simple' && firstLocksOf(treatments).length > 0;
    if (locksRows || tableLocksOf(treatments).length > 0)
      return executor
        .locked(rewrite, locksRows)
        .then((locked) =>
          locked === 'failed' ? this.answered(situation) : this.#sendOnce(message, locked, situation),
        );
    return this.#sendOnce(message, rewrite, situation);
  }

  #sendOnce(message: Message, rewrite: Rewrite, situation: Situation): undefined {
    const { decider, server } = this.#options;
    const sent = sealed(rewrite);
    if (sent.changed) server.write(write.query(sentText(sent)));
    else server.forward(message);
    this.#expect(queryReplies(decider.translation(sent), this.#restoring(situation)), situation);
    return undefined;
  }

  /** What puts the unnamed statement back, where the query drops one. */
  #restoring({ dropped }: Situation): (() => void) | undefined {
    return dropped && (() => this.#options.statementNames.set('', dropped));
  }

  #expect(handler: ReplyHandler | undefined, { inBlock, dropped }: Situation): void {
    const { replies, unanswered, unitEnd } = this.#options;
    if (handler && dropped) unanswered.expect('Query', handler);
    else replies.expect('Query', handler);
    unitEnd.end(inBlock);
  }
}
